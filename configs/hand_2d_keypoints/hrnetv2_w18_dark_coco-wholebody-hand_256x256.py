"""HRNetV2-W18 with DARK on COCO-WholeBody-Hand, as mmpose published it.

    python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_dark_coco-wholebody-hand_256x256.py --work-dir DIR

COCO 2017 images below data/coco, and COCO-WholeBody's annotations in data/coco/annotations. Paper: PCK@0.2 0.814, AUC
0.840, EPE 4.37 with true boxes and the flip test, on 8 GPUs with 32 hands each. Not trained by handkit yet.
mmpose begins with ImageNet's weights: `--cfg-options backbone_from=hrnetv2_w18.pth`.
"""

_base_ = [
    "../_base_/models/hrnetv2_w18.py",
    "../_base_/targets/dark_256x256.py",
    "../_base_/datasets/coco_wholebody_hand.py",
    "../_base_/schedules/adam_210e.py",
]

model = dict(losses=[dict(type="KeypointMSELoss")])
