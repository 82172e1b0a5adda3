"""ScoreMapPoseNet and PosePrior (Zimmermann and Brox, ICCV 2017), one network at a quarter of their width.

hand_3d_keypoints/poseprior_w1_* have the paper's.
"""

_base_ = ["scoremap_posenet.py"]

model = dict(
    aux_heads=[
        dict(type="PoseHandednessHead", in_channels=(128, 32)),
        dict(type="PosePriorHead", width={{_base_._width}}),
    ],
)
