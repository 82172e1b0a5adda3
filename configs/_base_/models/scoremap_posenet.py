"""ScoreMapPoseNet (Zimmermann and Brox, ICCV 2017) at a quarter of its width, with norms, and a head for the side.

width=1.0, channels=128 and hidden_channels=512 are the paper's.
"""

_width = 0.25

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="CPMTrunk", width=_width),
    head=dict(type="ScoreMapHead", in_channels=32, channels=32, hidden_channels=128),
    aux_heads=[dict(type="PoseHandednessHead", in_channels=(128, 32))],
    losses=[dict(type="ScoreMapMSELoss", loss_weight=100.0), dict(type="HandednessLoss", loss_weight=0.1)],
)
