"""Whole images for detectors at 320 x 320: photographs, rendered hands and scenes, rooms; 8,000 views in an epoch.

Boxes are those that people drew where they drew some, else the hand boxes of good labels; an image without either is
no sample. Photographs of two signing hands of which one was found are left out. Where the data comes from:
docs/datasets.md. The first 100 rooms by name are held out.
"""

_input_size = (320, 320)
_rooms = dict(folder="data/rooms", skip=100)
_photos = dict(type="HandPhotos", ann_file="data/handphotos/train.json")
_one_hand = dict(**_photos, sources=("asl_letters", "lebanese_gestures", "sign_digits"))
_renders = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/train"))
_tensors = [
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
]

train_dataset = dict(
    type="WeightedConcat",
    datasets=[
        dict(type="SourceBalance", dataset=dict(type="ImageBoxes", dataset=_one_hand, drawn="first"), balance=0.7),
        dict(type="ImageBoxes", dataset=dict(**_photos, sources=("two_hand_signs",)), least=2),
        _renders,
        dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/scenes")),
        dict(type="NegativeImages", **_rooms),
    ],
    weights=(0.38, 0.12, 0.15, 0.2, 0.15),
    length=8000,
)
val_dataset = dict(
    type="ImageBoxes", dataset=dict(type="HandPhotos", ann_file="data/handphotos/val.json"), drawn="first"
)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="RandomView", input_size=_input_size, **_rooms),
    dict(type="BackgroundPaste", **_rooms),
    dict(type="PasteHands", pictures=_renders, view=dict(type="RandomView", input_size=_input_size)),
    dict(type="RandomPhotometric", brightness=0.2, contrast=0.5, gamma=0.5, white_balance=0.2, hue=12.0, prob=0.9),
    dict(type="RandomDownscale", prob=0.15),
    dict(type="RandomBlur", prob=0.2),
    dict(type="RandomNoise"),
    dict(type="RandomJPEG"),
    *_tensors,
    dict(type="PoseCollect", keys=("img", "boxes", "counts", "ignored_boxes", "ignored_counts")),
]
test_transforms = [
    dict(type="LoadImage"),
    dict(type="Resize", input_size=_input_size),
    *_tensors,
    dict(type="PoseCollect"),
]
