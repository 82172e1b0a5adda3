"""RTMPose's targets (Jiang et al., arXiv 2303.07399): gaussians over two bins per pixel, sent through a softmax.

Colours, blur and things in front are handkit's own augmentations in the place of mmdet's and albumentations', as often
and as strong. Mirrored bins are moved back before they are averaged, which mmpose's flip test leaves out.
"""

_base_ = ["../transforms/mmpose_hands.py"]

_input_size = (256, 256)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25, hide_outside=False, antialias=False)

codec = dict(
    type="SimCC",
    input_size=_input_size,
    simcc_split_ratio=2.0,
    sigma=5.66,
    normalize=False,
    unbiased=False,
    label_beta=10.0,
)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.16, shift_prob=0.3),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.5, 1.5), rotate_factor=180.0, rotate_prob=0.6),
    dict(type="TopDownRandomFlip", flip_prob=0.5),
    _affine,
    dict(
        type="RandomPhotometric",
        brightness=0.118,
        saturation=0.118,
        hue=10.0,
        contrast=0.0,
        gamma=0.0,
        white_balance=0.0,
        prob=0.875,
    ),
    dict(type="RandomBlur", prob=0.1),
    dict(type="RandomBlur", prob=0.1),
    dict(type="RandomOcclusion", count=(1, 1), size=(0.2, 0.4), prob=1.0),
    {{_base_._tensors}},
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "simcc_x", "simcc_y", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, {{_base_._tensors}}, dict(type="PoseCollect", keys=("img",))]
flip_test = "aligned"
