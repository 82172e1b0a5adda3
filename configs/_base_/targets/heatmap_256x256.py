"""Gaussians round the nearest cell, decoded by the highest cell and a quarter of one: mmpose's MSRAHeatmap."""

_base_ = ["../transforms/mmpose_hands.py"]

_input_size = (256, 256)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25, hide_outside=False, antialias=False)

codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(64, 64), sigma=2.0, unbiased=False, dark=False
)
train_transforms = [
    {{_base_._moves}},
    _affine,
    {{_base_._tensors}},
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, {{_base_._tensors}}, dict(type="PoseCollect", keys=("img",))]
flip_test = "mmpose"
