"""HRNetV2-W18 with DARK, handedness and presence, first stage: from scratch at 128 x 128.

python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_dark_handphotos_128x128.py --work-dir DIR
"""

_base_ = ["../_base_/models/hrnetv2_w18_hand.py", "../_base_/datasets/handphotos_handsynth.py"]

_input_size = (128, 128)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(32, 32), sigma=1.5, dark=True, probabilities=True
)
train_transforms = [
    dict(type="LoadImage"),
    {{_base_._moves}},
    _affine,
    {{_base_._looks}},
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight", "right", "hand")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
batch_size = 32
max_epochs = 10
optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, flat_share=0.3, final_ratio=0.05)
ema_decay = 0.998
precision = "bf16"
save_interval = 100
