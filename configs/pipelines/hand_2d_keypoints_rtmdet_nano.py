"""RTMDet-nano + HRNetV2-W18 + DARK, for any checkpoints: handkit's own, mmpose 1.x, mmpose 0.x, EasyCV, and mmdet 3.

    handkit predict photo.jpg --model pipelines/hand_2d_keypoints_rtmdet_nano --checkpoint hrnetv2_w18.pth \
        --cfg-options detector.checkpoint=rtmdet_nano_hand.pth --out drawn

The detector is the one mmpose 1.x calls `hand` (`_base_/detectors/rtmdet_nano_hand.py`), the rest as in
hand_2d_keypoints_hrnetv2_w18_dark. handkit ships no weights for it, so nothing is measured here.
"""

_base_ = ["../_base_/models/hrnetv2_w18.py", "../_base_/detectors/rtmdet_nano_hand.py"]

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
