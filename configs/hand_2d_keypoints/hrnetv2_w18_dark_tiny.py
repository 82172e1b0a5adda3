"""HRNetV2-W18 on rendered capsule hands: a whole training in minutes on two CPU cores, to see that everything works.

python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_dark_tiny.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/hrnetv2_w18_dark_tiny.py DIR/best.safetensors --baseline

Measured on two cores of a Xeon (Sapphire Rapids): 6 min 40 s, PCK@0.2 0.933 on hands of another seed, where the mean
pose in each box has 0.443 (`--baseline`). A CPU without bfloat16 arithmetic is quicker with precision="fp32".
"""

_base_ = ["../_base_/models/hrnetv2_w18.py"]

_input_size = (64, 64)
_pictures = dict(image_size=(96, 96))
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
model = dict(head=dict(softmax=True), losses=[dict(type="SpatialCrossEntropyLoss")])
codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(16, 16), sigma=1.5, dark=True, probabilities=True
)
train_dataset = dict(type="HandSynth", source="capsule", seed=0, count=2048, views="front", endless=True, **_pictures)
val_dataset = dict(type="HandSynth", source="capsule", seed=1, count=500, views="front", **_pictures)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.85, 1.15), rotate_factor=15.0, distribution="uniform"),
    dict(type="TopDownRandomFlip"),
    _affine,
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
metrics = [dict(type="PCK"), dict(type="AUC"), dict(type="EPE"), dict(type="NME")]
best_metric = "PCK@0.2"
batch_size = 16
max_epochs = 5
optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=100)
precision = "bf16"
