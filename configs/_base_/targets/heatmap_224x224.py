"""As heatmap_256x256.py at 224 x 224, for FreiHAND: the middle 0.8 of its whole pictures, shifted further."""

_base_ = ["../transforms/mmpose_hands.py"]

_input_size = (224, 224)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=0.8, hide_outside=False, antialias=False)

codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(56, 56), sigma=2.0, unbiased=False, dark=False
)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.25, shift_prob=0.3),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.7, 1.3), rotate_factor=180.0, rotate_prob=0.6),
    dict(type="TopDownRandomFlip", flip_prob=0.5),
    _affine,
    {{_base_._tensors}},
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, {{_base_._tensors}}, dict(type="PoseCollect", keys=("img",))]
flip_test = "mmpose"
