"""HRNetV2-W18 on COCO-WholeBody-Hand as EasyCV trained it: the network of ModelScope's hand_2d_keypoints.

    python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_easycv_coco-wholebody-hand_256x256.py --work-dir DIR

COCO 2017 images below data/coco, and COCO-WholeBody's annotations in data/coco/annotations. Paper: PCK@0.2 0.8161, AUC
0.8393, EPE 4.3899, which ModelScope's card calls NME. Not trained by handkit yet.

EasyCV's gaussians are wider (sigma 3) and lie on the nearest cell, and are decoded by DARK with the kernel of sigma 2;
hands turn by 30 degrees (one deviation), 60 at most. It moved each box once, when the data set was built; here it moves
in every epoch. `handkit cp` makes the same of EasyCV's own file (docs/openmmlab.md).
"""

_base_ = [
    "../_base_/models/hrnetv2_w18.py",
    "../_base_/targets/dark_256x256.py",
    "../_base_/datasets/coco_wholebody_hand.py",
    "../_base_/schedules/adam_210e.py",
]

_input_size = (256, 256)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25, hide_outside=False, antialias=False)

model = dict(losses=[dict(type="KeypointMSELoss")])
codec = dict(
    type="GaussianHeatmap",
    input_size=_input_size,
    heatmap_size=(64, 64),
    sigma=3.0,
    unbiased=False,
    dark=True,
    kernel=11,
    max_offset=None,
)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.16, shift_prob=0.3, distribution="uniform"),
    dict(
        type="TopDownGetRandomScaleRotation",
        scale_factor=(0.75, 1.25),
        rotate_factor=60.0,
        rotate_prob=0.6,
        distribution="clipped_normal",
    ),
    dict(type="TopDownRandomFlip", flip_prob=0.5),
    _affine,
    {{_base_._tensors}},
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
schedule = dict(warmup_iters=501)
metrics = [dict(type="PCK"), dict(type="AUC"), dict(type="EPE"), dict(type="NME"), dict(type="NMEEasyCV")]
best_metric = "PCK@0.2"
best_mode = "max"
