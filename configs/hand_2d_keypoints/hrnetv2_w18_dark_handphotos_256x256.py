"""Third stage of hrnetv2_w18_dark_handphotos: at 256 x 256, from the weights of the second.

python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_dark_handphotos_256x256.py --work-dir DIR \
    --cfg-options load_from=STAGE2/best.safetensors

Two epochs were not enough to be as good as the second stage (docs/weights.md).
"""

_base_ = ["../_base_/models/hrnetv2_w18_hand.py", "../_base_/datasets/handphotos_handsynth.py"]

_input_size = (256, 256)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(64, 64), sigma=2.0, dark=True, probabilities=True
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
batch_size = 16
max_epochs = 3
optimizer = dict(type="AdamW", lr=4e-4)
schedule = dict(type="CosineSchedule", warmup_iters=100)
ema_decay = 0.998
precision = "bf16"
save_interval = 100
load_from = "work_dirs/hrnetv2_w18_dark_handphotos_192x192/best.safetensors"
