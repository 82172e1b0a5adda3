"""ScoreMapPoseNet (Zimmermann and Brox, ICCV 2017) at a quarter of its width, with norms, and a head for the side.

The heads' channels go with the width; hand_2d_keypoints/scoremap_posenet_w1_* have the paper's.
"""

_width = 0.25

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="CPMTrunk", width=_width),
    head=dict(type="ScoreMapHead", in_channels=32, channels=32, hidden_channels=128),
    aux_heads=[dict(type="PoseHandednessHead", in_channels=(128, 32))],
    losses=[dict(type="ScoreMapMSELoss", loss_weight=100.0), dict(type="HandednessLoss", loss_weight=0.1)],
)
