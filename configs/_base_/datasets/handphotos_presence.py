"""Hands, also doubtful ones, against what is no hand, above all what the detector takes for one; 8,000 crops an epoch.

handkit predict data/rooms data/handphotos/images --task hand_detection --box-threshold 0.1 --json data/detections.json

The first 100 rooms by name are held out.
"""

_base_ = ["./handphotos_handsynth.py"]

_hands = dict(type="HandPhotos", ann_file="data/handphotos/train.json", max_disagreement=None, unlabelled="skip")
_found = dict(type="FalseDetections", detections="data/detections.json")
train_dataset = dict(
    type="WeightedConcat",
    datasets=[
        dict(type="HandShards", folder="data/handsynth/train"),
        dict(type="SourceBalance", dataset=_hands, balance=0.5),
        dict(**_found, dataset=dict(type="NegativeImages", folder="data/rooms", skip=100)),
        dict(**_found, dataset={{_base_._drawn}}),
        dict(**_found, dataset={{_base_._pairs}}),
        dict(type="NegativePhotos", folder="data/rooms", skip=100, min_side=24),
        dict(type="SquaresBesideHands", dataset={{_base_._drawn}}),
        dict(type="SquaresBesideHands", dataset={{_base_._pairs}}),
    ],
    weights=(0.25, 0.3, 0.15, 0.1, 0.05, 0.08, 0.05, 0.02),
    length=8000,
)
_held_out = dict(type="HandPhotos", ann_file="data/handphotos/val.json")
val_dataset = dict(
    type="WeightedConcat",
    datasets=[
        dict(**_held_out),
        dict(**_found, dataset=dict(type="ImageBoxes", dataset=dict(**_held_out), drawn="only")),
    ],
    _delete_=True,
)
metrics = [dict(type="PresenceAUC"), dict(type="PCK", threshold=0.1)]
best_metric = "presence_auc"
