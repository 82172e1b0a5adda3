"""OneHandDetector + HRNetV2-W18 + DARK, for any checkpoint: handkit's own, mmpose 1.x, mmpose 0.x or EasyCV.

    handkit predict photo.jpg --model pipelines/hand_2d_keypoints_hrnetv2_w18_dark --checkpoint hrnetv2_w18.pth \
        --cfg-options detector.checkpoint=ssdlite_mobilenetv2.pth --out drawn

The network and its test-time steps are those of mmpose's hrnetv2_w18_coco_wholebody_hand_256x256_dark (paper: PCK@0.2
0.814, AUC 0.840, EPE 4.37 on COCO-WholeBody-Hand with true boxes). handkit ships no weights for it yet, so nothing is
measured here.
"""

_base_ = ["../_base_/pipelines/hrnetv2_w18_dark_256x256.py", "../_base_/detectors/onehand_ssdlite_mobilenetv2.py"]
