"""RTMDet-nano + HRNetV2-W18 + DARK, for any checkpoints: handkit's own, mmpose 1.x, mmpose 0.x, EasyCV, and mmdet 3.

    handkit predict photo.jpg --model pipelines/hand_2d_keypoints_rtmdet_nano --checkpoint hrnetv2_w18.pth \
        --cfg-options detector.checkpoint=rtmdet_nano_hand.pth --out drawn

The detector is the one mmpose 1.x calls `hand` (`_base_/detectors/rtmdet_nano_hand.py`), the rest as in
hand_2d_keypoints_hrnetv2_w18_dark. handkit ships no weights for it, so nothing is measured here.
"""

_base_ = ["../_base_/pipelines/hrnetv2_w18_dark_256x256.py", "../_base_/detectors/rtmdet_nano_hand.py"]
