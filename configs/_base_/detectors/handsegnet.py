"""The largest piece of HandSegNet's mask; checkpoint= takes what configs/hand_segmentation's recipes leave.

Weights of handsegnet_w1_* want width=1.0, in_channels=128 and channels=512.
"""

detector = dict(
    type="HandSegDetector",
    net=dict(
        type="TopDownEstimator",
        backbone=dict(type="CPMTrunk", num_blocks=(2, 2, 4, 4), tail=(512, 128), width=0.25),
        head=dict(type="MaskHead", in_channels=32, channels=128),
    ),
    checkpoint=None,
    runtime=dict(type="TorchRuntime"),
    transforms=[dict(type="MMToTensor"), dict(type="NormalizeTensor")],
)
