"""OffsetPoseNet for all hands of a whole image in one pass, without a detector, on rendered scenes and hands.

python tools/train.py configs/hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321.py \
    DIR/best.safetensors
handkit predict photo.jpg --model hand_2d_keypoints/posenet_mobilenetv2_s16_multihand_handsynth_321x321 \
    --checkpoint DIR/best.safetensors --out drawn

The data: _base_/datasets/handsynth_scenes.py. The backbone begins with that of
posenet_mobilenetv2_s16_handsynth_193x193; `--cfg-options backbone_from=None` begins at random. A view takes .15 s of
one core of an EPYC; after 29,000 views recall is 0.35 (docs/posenet.md): it wants many more.
"""

_base_ = ["../_base_/models/posenet_mobilenetv2.py", "../_base_/datasets/handsynth_scenes.py"]

_input_size = (321, 321)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
model = dict(
    type="BottomUpEstimator",
    head=dict(type="HandOffsetHead"),
    losses=[
        dict(type="HeatmapBCELoss", loss_weight=4.0),
        dict(type="OffsetLoss"),
        dict(type="DisplacementLoss", loss_weight=0.25),
    ],
)
codec = dict(type="HandOffsets", input_size=_input_size, output_stride=16, radius=16.0)
runtime = dict(type="TorchRuntime")
train_transforms = [
    {{_base_._views}},
    *_tensors,
    dict(type="BottomUpGenerateTarget", codec=codec),
    dict(
        type="PoseCollect",
        keys=("img", "heatmaps", "heatmap_mask", "offsets", "displacements", "displacement_weight", "target_weight"),
    ),
]
test_transforms = [
    dict(type="LoadImage"),
    dict(type="BottomUpResize", input_size=_input_size),
    *_tensors,
    dict(type="PoseCollect"),
]
backbone_from = "bundle:hand_2d_keypoints_posenet/model.safetensors"
batch_size = 32
max_epochs = 3
optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, final_ratio=0.01)
ema_decay = 0.998
precision = "bf16"
