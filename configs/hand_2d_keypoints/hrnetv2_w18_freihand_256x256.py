"""HRNetV2-W18 on FreiHAND, by mmpose's recipe for the other hand data sets.

    python tools/train.py configs/hand_2d_keypoints/hrnetv2_w18_freihand_256x256.py --work-dir DIR

FreiHAND_pub_v2 and its evaluation part below data/freihand. No score is published for it. Not trained by handkit yet.
mmpose begins with ImageNet's weights: `--cfg-options backbone_from=hrnetv2_w18.pth`.
"""

_base_ = [
    "../_base_/models/hrnetv2_w18.py",
    "../_base_/targets/heatmap_256x256.py",
    "../_base_/datasets/freihand.py",
    "../_base_/schedules/adam_210e.py",
]

model = dict(losses=[dict(type="KeypointMSELoss")])
batch_size = 512
lr_base_batch = 512
