"""Simple Baselines with ResNet-18 on rendered hands at 224 x 224, from the weights of 128 x 128.

python tools/train.py configs/hand_2d_keypoints/resnet18_deconv_handsynth_224x224.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/resnet18_deconv_handsynth_224x224.py DIR/best.safetensors --baseline

The data: _base_/datasets/handsynth_crops.py. Reached in 3 epochs, from 8 at
128 x 128 and before either had TopDownRandomUpright: PCK@0.2 0.79; see docs/systems.md.
"""

_base_ = ["./resnet18_deconv_handsynth_128x128.py"]

_input_size = (224, 224)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

codec = dict(
    type="GaussianHeatmap", input_size=_input_size, heatmap_size=(56, 56), sigma=2.0, probabilities=True, blur=2.5
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
batch_size = 24
max_epochs = 2
optimizer = dict(lr=4e-4)
schedule = dict(warmup_iters=100, final_ratio=0.01)
load_from = "work_dirs/resnet18_deconv_handsynth_128x128/best.safetensors"
