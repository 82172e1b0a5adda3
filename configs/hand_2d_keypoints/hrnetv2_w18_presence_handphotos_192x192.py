"""After the second stage of hrnetv2_w18_dark_handphotos: presence alone, on what the detector takes for hands.

python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_presence_handphotos_192x192.py --work-dir DIR \
    --cfg-options load_from=STAGE2/best.safetensors

All else stays as it was. It is there so that a pipeline can ask the detector for more boxes and invent fewer hands.
"""

_base_ = ["../_base_/models/hrnetv2_w18_hand.py", "../_base_/datasets/handphotos_presence.py"]

_input_size = (192, 192)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

model = dict(losses=[dict(type="PresenceLoss")])
task = "hand_2d_keypoints"
codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(48, 48), sigma=1.75, dark=True, probabilities=True
)
train_transforms = [
    dict(type="LoadImage"),
    {{_base_._moves}},
    _affine,
    {{_base_._looks}},
    *_tensors,
    dict(type="PoseCollect", keys=("img", "hand")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
batch_size = 32
max_epochs = 4
optimizer = dict(type="AdamW", lr=1e-3)
schedule = dict(type="CosineSchedule", warmup_iters=50)
ema_decay = 0.99
precision = "bf16"
save_interval = 50
load_from = "work_dirs/hrnetv2_w18_dark_handphotos_192x192/best.safetensors"
frozen = ("backbone", "head", "aux_heads.handedness")
