"""OffsetPoseNet with one cell in 8 pixels, from the weights of one in 16, which fit since no stride changes a shape.

python tools/train.py configs/hand_2d_keypoints/posenet_mobilenetv2_s8_handsynth_193x193.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/posenet_mobilenetv2_s8_handsynth_193x193.py DIR/best.safetensors

All else as in posenet_mobilenetv2_s16_handsynth_193x193. 34 minutes of one core of an EPYC; docs/posenet.md has the
numbers.
"""

_base_ = ["./posenet_mobilenetv2_s16_handsynth_193x193.py"]

_input_size = (193, 193)

model = dict(backbone=dict(output_stride=8))
codec = dict(output_stride=8)
train_transforms = [
    dict(type="LoadImage"),
    {{_base_._moves}},
    dict(type="TopDownAffine", input_size=_input_size, padding=1.25, use_udp=True),
    {{_base_._looks}},
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor"),
    dict(
        type="TopDownGenerateTarget",
        codec=dict(type="OffsetHeatmap", input_size=_input_size, output_stride=8, radius=24.0),
    ),
    dict(type="PoseCollect", keys=("img", "heatmaps", "offsets", "target_weight")),
]
load_from = "bundle:hand_2d_keypoints_posenet/model.safetensors"
max_epochs = 2
optimizer = dict(type="AdamW", lr=5e-4)
precision = "bf16"
