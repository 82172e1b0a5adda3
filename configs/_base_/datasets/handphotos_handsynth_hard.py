"""As handphotos_handsynth, with more hands that hold and clasp, and among what is no hand what a detector took for one.

handkit data synth --companions many --count 3000 --seed 110 --skins data/skins --out data/handsynth/company
handkit data synth --companions pairs --count 3000 --size 320 --seed 112 --skins data/skins --out data/handsynth/pairs
handkit predict data/rooms data/handphotos/images --task hand_detection --box-threshold 0.1 --json data/detections.json
"""

_base_ = ["./handphotos_handsynth.py"]

_found = dict(type="FalseDetections", detections="data/detections.json")
train_dataset = dict(
    type="WeightedConcat",
    datasets=[
        dict(type="HandShards", folder="data/handsynth/train"),
        dict(type="HandShards", folder="data/handsynth/company"),
        dict(type="HandShards", folder="data/handsynth/pairs"),
        dict(type="SourceBalance", dataset={{_base_._photos}}, balance=0.5),
        dict(**_found, dataset=dict(type="NegativeImages", folder="data/rooms", skip=100)),
        dict(**_found, dataset={{_base_._drawn}}),
        dict(**_found, dataset={{_base_._pairs}}),
        dict(type="NegativePhotos", folder="data/rooms", skip=100, min_side=24),
        dict(type="SquaresBesideHands", dataset={{_base_._drawn}}),
        dict(type="SquaresBesideHands", dataset={{_base_._pairs}}),
    ],
    weights=(0.24, 0.08, 0.14, 0.38, 0.04, 0.03, 0.02, 0.04, 0.02, 0.01),
    length=10000,
    _delete_=True,
)
