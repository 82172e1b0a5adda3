"""HRNetV2-W18 with DARK on COCO-WholeBody-Hand, as mmpose published it.

    python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_dark_coco-wholebody-hand_256x256.py --work-dir DIR

Data: COCO 2017 images below data/coco, and COCO-WholeBody's annotations in data/coco/annotations. Paper: PCK@0.2
0.814, AUC 0.840, EPE 4.37 with true boxes and the flip test, on 8 GPUs with 32 hands each. Not trained by handkit yet.
"""

_base_ = ["../_base_/models/hrnetv2_w18.py", "../_base_/schedules/adam_210e.py"]

_input_size = (256, 256)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25, hide_outside=False, antialias=False)
_tensors = [
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
]

task = "hand_2d_keypoints"
model = dict(losses=[dict(type="KeypointMSELoss")])
codec = dict(
    type="GaussianHeatmap",
    input_size=_input_size,
    heatmap_size=(64, 64),
    sigma=2.0,
    unbiased=True,
    dark=True,
    kernel=11,
    max_offset=None,
)
train_dataset = dict(
    type="CocoWholeBodyHand",
    ann_file="data/coco/annotations/coco_wholebody_train_v1.0.json",
    image_root="data/coco/train2017",
)
val_dataset = dict(
    type="CocoWholeBodyHand",
    ann_file="data/coco/annotations/coco_wholebody_val_v1.0.json",
    image_root="data/coco/val2017",
)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.16, shift_prob=0.3),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.7, 1.3), rotate_factor=180.0, rotate_prob=0.6),
    dict(type="TopDownRandomFlip", flip_prob=0.5),
    _affine,
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
flip_test = "mmpose"
metrics = [dict(type="PCK"), dict(type="AUC"), dict(type="EPE"), dict(type="NME")]
best_metric = "AUC"
