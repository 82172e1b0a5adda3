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
    dict(type="TopDownRandomShift", shift_factor=0.15, shift_prob=0.7),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.75, 1.35), rotate_prob=0.9, distribution="uniform"),
    dict(type="TopDownRandomFlip"),
    _affine,
    dict(type="BackgroundPaste", folder="data/rooms", skip=100, prob=0.6),
    dict(type="RandomOcclusion"),
    dict(type="RandomPhotometric", brightness=0.2, contrast=0.5, gamma=0.5, white_balance=0.2, hue=12.0, prob=0.9),
    dict(type="RandomDownscale"),
    dict(type="RandomBlur"),
    dict(type="RandomNoise"),
    dict(type="RandomJPEG"),
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight", "right", "hand")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
metrics = [dict(type="PCK"), dict(type="PCK", threshold=0.1), dict(type="NME"), dict(type="HandednessAccuracy")]
best_metric = "PCK@0.1"
batch_size = 32
max_epochs = 10
optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, flat_share=0.3, final_ratio=0.05)
ema_decay = 0.998
precision = "bf16"
save_interval = 100
