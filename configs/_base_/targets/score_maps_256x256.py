"""Score maps of 32 x 32 cells for crops of 256 x 256 pixels: the larger hand's true box with noise, in any rotation.

Box and padding are those of a crop by HandSegNet's mask (`HandSegDetector`).
"""

_input_size = (256, 256)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

codec = dict(type="GaussianHeatmap", input_size=_input_size, heatmap_size=(32, 32), sigma=2.0)
_augmented = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.1, shift_prob=0.7),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.8, 1.25), rotate_prob=0.9, distribution="uniform"),
    dict(type="TopDownRandomFlip"),
    _affine,
    dict(type="RandomPhotometric"),
    dict(type="RandomNoise"),
]
train_transforms = [
    *_augmented,
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight", "right")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
metrics = [dict(type="PCK"), dict(type="AUC"), dict(type="EPE"), dict(type="HandednessAccuracy")]
best_metric = "EPE"
best_mode = "min"
