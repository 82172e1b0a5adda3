"""HRNetV2-W18 with UDP on RHD, as mmpose's but for the crops, which UDP needs cut otherwise.

    python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_udp_rhd_256x256.py --work-dir DIR

RHD_published_v2 below data/rhd, annotations as mmpose distributes them. Paper: PCK@0.2 0.992, AUC 0.902, EPE 2.19
with true boxes and the flip test, on 8 GPUs with 64 hands each. Not trained by handkit yet.
mmpose begins with ImageNet's weights: `--cfg-options backbone_from=hrnetv2_w18.pth`.
"""

_base_ = [
    "../_base_/models/hrnetv2_w18.py",
    "../_base_/targets/udp_256x256.py",
    "../_base_/datasets/rhd.py",
    "../_base_/schedules/adam_210e.py",
]

model = dict(losses=[dict(type="KeypointMSELoss")])
batch_size = 512
lr_base_batch = 512
