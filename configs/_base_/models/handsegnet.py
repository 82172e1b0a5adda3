"""HandSegNet (Zimmermann and Brox, ICCV 2017) at a quarter of its width, with norms; width=1.0 is the paper's."""

_width = 0.25

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="CPMTrunk", num_blocks=(2, 2, 4, 4), tail=(512, 128), width=_width),
    head=dict(type="MaskHead", in_channels=32, channels=128),
    losses=[dict(type="MaskBCELoss")],
)
