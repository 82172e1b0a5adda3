"""HRNetV2-W18 with UDP on COCO-WholeBody-Hand, by mmpose's recipe for the other hand data sets.

    python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_udp_coco-wholebody-hand_256x256.py --work-dir DIR

COCO 2017 images below data/coco, and COCO-WholeBody's annotations in data/coco/annotations. No score is published for
it. Not trained by handkit yet.
mmpose begins with ImageNet's weights: `--cfg-options backbone_from=hrnetv2_w18.pth`.
"""

_base_ = [
    "../_base_/models/hrnetv2_w18.py",
    "../_base_/targets/udp_256x256.py",
    "../_base_/datasets/coco_wholebody_hand.py",
    "../_base_/schedules/adam_210e.py",
]

model = dict(losses=[dict(type="KeypointMSELoss")])
