"""HRNetV2-W18 with DARK behind any detector, as mmpose tests it: all of a pipeline but the detector."""

_base_ = ["../models/hrnetv2_w18.py"]

_input_size = (256, 256)

task = "hand_2d_keypoints"
test_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownAffine", input_size=_input_size, padding=1.25),
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    dict(type="PoseCollect", keys=("img",)),
]
checkpoint = None
codec = dict(
    type="GaussianHeatmap",
    input_size=_input_size,
    heatmap_size=(64, 64),
    sigma=2.0,
    unbiased=True,
    dark=True,
    kernel=11,
    max_offset=1.0,
)
flip_test = "aligned"
runtime = dict(type="TorchRuntime")
