"""HandSegNet (Zimmermann and Brox, ICCV 2017) at a quarter of its width, with norms.

The head's channels go with the width; hand_segmentation/handsegnet_w1_* have the paper's.
"""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="CPMTrunk", num_blocks=(2, 2, 4, 4), tail=(512, 128), width=0.25),
    head=dict(type="MaskHead", in_channels=32, channels=128),
    losses=[dict(type="MaskBCELoss")],
)
