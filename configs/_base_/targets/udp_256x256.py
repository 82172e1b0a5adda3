"""Gaussians in UDP's geometry (Huang et al., CVPR 2020), crops cut likewise, which mmpose's hand configs forget."""

_base_ = ["../transforms/mmpose_hands.py"]

_input_size = (256, 256)
_affine = dict(
    type="TopDownAffine", input_size=_input_size, padding=1.25, hide_outside=False, antialias=False, use_udp=True
)

codec = dict(type="UDPHeatmap", input_size=_input_size, heatmap_size=(64, 64), sigma=2.0, kernel=11, max_offset=None)
train_transforms = [
    {{_base_._moves}},
    _affine,
    {{_base_._tensors}},
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, {{_base_._tensors}}, dict(type="PoseCollect", keys=("img",))]
flip_test = "aligned"
