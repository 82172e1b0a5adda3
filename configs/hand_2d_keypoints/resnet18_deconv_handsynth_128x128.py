"""Simple Baselines with ResNet-18 on rendered hands, first stage: from scratch at 128 x 128, a third of the work.

python tools/train.py configs/hand_2d_keypoints/resnet18_deconv_handsynth_128x128.py --work-dir DIR

The data: _base_/datasets/handsynth_crops.py. resnet18_deconv_handsynth_224x224.py goes on from its weights. To reach:
PCK@0.2 0.85; reached after a second stage at 224 and a third of 13 epochs with this file: 0.93, see docs/systems.md.
The loss is not the paper's squares but cross-entropy over the cells of a map, as in hrnetv2_w18_dark_handphotos.
"""

_base_ = ["../_base_/models/resnet50_deconv.py", "../_base_/datasets/handsynth_crops.py"]

_input_size = (128, 128)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

model = dict(
    backbone=dict(depth=18),
    head=dict(in_channels=512, softmax=True),
    losses=[dict(type="SpatialCrossEntropyLoss")],
)
task = "hand_2d_keypoints"
codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(32, 32), sigma=1.5, probabilities=True, blur=1.5
)
train_transforms = [
    dict(type="LoadImage"),
    {{_base_._moves}},
    dict(type="TopDownRandomUpright", upright_prob=0.6, rotate_sigma=12.0),
    _affine,
    {{_base_._looks}},
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
flip_test = "aligned"
second_look = True
batch_size = 48
max_epochs = 8
optimizer = dict(type="AdamW", lr=1e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, final_ratio=0.1)
ema_decay = 0.998
precision = "bf16"
save_interval = 100
