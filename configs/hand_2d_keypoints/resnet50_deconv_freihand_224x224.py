"""Simple Baselines with ResNet-50 on FreiHAND at 224 x 224, by mmpose's recipe on the data set's official split.

    python tools/train.py configs/hand_2d_keypoints/resnet50_deconv_freihand_224x224.py --work-dir DIR

FreiHAND_pub_v2 and its evaluation part below data/freihand; `handkit data freihand --out data/freihand` makes a small
data set of the same form. mmpose begins with torchvision's weights, `--cfg-options backbone_from=resnet50.pth`.
Paper: PCK@0.2 0.999, AUC 0.868, EPE 3.27, by mmpose on a tenth of the training pictures held out; scores on the
evaluation part, which this measures on, are not comparable. Not trained by handkit yet.
"""

_base_ = [
    "../_base_/models/resnet50_deconv.py",
    "../_base_/targets/heatmap_224x224.py",
    "../_base_/datasets/freihand_frames.py",
    "../_base_/schedules/adam_100e.py",
]

model = dict(losses=[dict(type="KeypointMSELoss")])
