"""Lite-HRNet-18 (Yu et al., CVPR 2021) on COCO-WholeBody-Hand, as mmpose published it.

    python tools/train.py configs/hand_2d_keypoints/litehrnet18_coco-wholebody-hand_256x256.py --work-dir DIR

COCO 2017 images below data/coco, and COCO-WholeBody's annotations in data/coco/annotations. Paper: PCK@0.2 0.795, AUC
0.830, EPE 4.77 with true boxes and the flip test, on 8 GPUs with 32 hands each. Not trained by handkit yet.
"""

_base_ = [
    "../_base_/models/litehrnet18.py",
    "../_base_/targets/heatmap_256x256.py",
    "../_base_/datasets/coco_wholebody_hand.py",
    "../_base_/schedules/adam_210e.py",
]

model = dict(losses=[dict(type="KeypointMSELoss")])
