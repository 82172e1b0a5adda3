"""OffsetPoseNet, one cell in 16 pixels, on rendered hands: discs and offsets in place of fine heat maps.

python tools/train.py configs/hand_2d_keypoints/posenet_mobilenetv2_s16_handsynth_193x193.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/posenet_mobilenetv2_s16_handsynth_193x193.py DIR/best.safetensors \
    --baseline

The data: _base_/datasets/handsynth_crops.py. From scratch, in 42 minutes of one core of an EPYC, in fp32. To reach:
PCK@0.2 0.75; reached: 0.764. The weights are those of the bundle hand_2d_keypoints_posenet.
"""

_base_ = ["../_base_/models/posenet_mobilenetv2.py", "../_base_/datasets/handsynth_crops.py"]

_input_size = (193, 193)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25, use_udp=True)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
codec = dict(type="OffsetHeatmap", input_size=_input_size, output_stride=16, radius=24.0)
train_transforms = [
    dict(type="LoadImage"),
    {{_base_._moves}},
    _affine,
    {{_base_._looks}},
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "offsets", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
flip_test = "aligned"
batch_size = 32
max_epochs = 4
optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, final_ratio=0.01)
ema_decay = 0.998
