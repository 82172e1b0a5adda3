"""Third stage of hrnetv2_w18_dark_handphotos: at 192 x 192, behind presence's, with what detectors mistake for hands.

python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_dark_handphotos_hard_192x192.py --work-dir DIR \
    --cfg-options load_from=PRESENCE/best.safetensors

It made the weights in the package: docs/weights.md.
"""

_base_ = ["../_base_/models/hrnetv2_w18_hand.py", "../_base_/datasets/handphotos_handsynth_hard.py"]

_input_size = (192, 192)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
codec = dict(
    type="GaussianHeatmap",
    input_size=_input_size,
    heatmap_size=(48, 48),
    sigma=1.75,
    dark=True,
    probabilities=True,
    blur=2.5,
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
batch_size = 24
max_epochs = 3
optimizer = dict(type="AdamW", lr=6e-4)
schedule = dict(type="CosineSchedule", warmup_iters=100, final_ratio=0.02)
ema_decay = 0.998
precision = "bf16"
save_interval = 100
load_from = "work_dirs/hrnetv2_w18_presence_handphotos_192x192/best.safetensors"
