"""Simple Baselines with ResNet-18 on FreiHAND at 224 x 224: as with ResNet-50, a third of its work.

    python tools/train.py configs/hand_2d_keypoints/resnet18_deconv_freihand_224x224.py --work-dir DIR

Data as in resnet50_deconv_freihand_224x224.py. ImageNet weights: `--cfg-options backbone_from=resnet18.pth`. No score
is published for it.
"""

_base_ = [
    "../_base_/models/resnet50_deconv.py",
    "../_base_/targets/heatmap_224x224.py",
    "../_base_/datasets/freihand_frames.py",
    "../_base_/schedules/adam_100e.py",
]

model = dict(backbone=dict(depth=18), head=dict(in_channels=512), losses=[dict(type="KeypointMSELoss")])
