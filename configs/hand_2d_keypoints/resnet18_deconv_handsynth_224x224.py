"""Simple Baselines with ResNet-18 on rendered hands at 224 x 224, from the weights of 128 x 128.

python tools/train.py configs/hand_2d_keypoints/resnet18_deconv_handsynth_224x224.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/resnet18_deconv_handsynth_224x224.py DIR/best.safetensors --baseline

The data: _base_/datasets/handsynth_crops.py. Not trained yet.
"""

_base_ = ["../_base_/models/resnet50_deconv.py", "../_base_/datasets/handsynth_crops.py"]

_input_size = (224, 224)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

model = dict(backbone=dict(depth=18), head=dict(in_channels=512), losses=[dict(type="KeypointMSELoss")])
task = "hand_2d_keypoints"
codec = dict(type="GaussianHeatmap", input_size=_input_size, heatmap_size=(56, 56), sigma=2.0)
train_transforms = [
    dict(type="LoadImage"),
    {{_base_._moves}},
    _affine,
    {{_base_._looks}},
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
flip_test = "aligned"
batch_size = 24
max_epochs = 2
optimizer = dict(type="AdamW", lr=4e-4)
schedule = dict(type="CosineSchedule", warmup_iters=100, final_ratio=0.01)
ema_decay = 0.998
precision = "bf16"
save_interval = 100
load_from = "work_dirs/resnet18_deconv_handsynth_128x128/best.safetensors"
