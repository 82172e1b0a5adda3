"""Photographs with machine-made joints, rendered hands, and what is no hand, in one epoch of 10,000 crops.

No hands are squares of rooms without people, and of photographs beside hands that all have a box.
Where the data comes from: docs/datasets.md. The first 100 rooms by name are held out.
`_moves` come before the crop, `_looks` behind it.
"""

_photos = dict(type="HandPhotos", ann_file="data/handphotos/train.json")
_drawn = dict(type="ImageBoxes", dataset=dict(**_photos, sources=("asl_letters", "lebanese_gestures")), drawn="only")
_pairs = dict(type="ImageBoxes", dataset=dict(**_photos, sources=("two_hand_signs",)), least=2)
train_dataset = dict(
    type="WeightedConcat",
    datasets=[
        dict(type="HandShards", folder="data/handsynth/train"),
        dict(type="SourceBalance", dataset=_photos, balance=0.5),
        dict(type="NegativePhotos", folder="data/rooms", skip=100, min_side=24),
        dict(type="SquaresBesideHands", dataset=_drawn),
        dict(type="SquaresBesideHands", dataset=_pairs),
    ],
    weights=(0.45, 0.43, 0.07, 0.03, 0.02),
    length=10000,
)
val_dataset = dict(type="HandPhotos", ann_file="data/handphotos/val.json")
_moves = [
    dict(type="TopDownRandomShift", shift_factor=0.15, shift_prob=0.7),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.75, 1.35), rotate_prob=0.9, distribution="uniform"),
    dict(type="TopDownRandomFlip"),
]
_looks = [
    dict(type="BackgroundPaste", folder="data/rooms", skip=100, prob=0.6),
    dict(type="RandomOcclusion"),
    dict(
        type="RandomPhotometric",
        brightness=0.2,
        contrast=0.5,
        gamma=0.5,
        white_balance=0.2,
        hue=12.0,
        prob=0.9,
        grey=0.1,
    ),
    dict(type="RandomDownscale"),
    dict(type="RandomBlur"),
    dict(type="RandomNoise"),
    dict(type="RandomJPEG"),
]
metrics = [dict(type="PCK"), dict(type="PCK", threshold=0.1), dict(type="NME"), dict(type="HandednessAccuracy")]
best_metric = "PCK@0.1"
