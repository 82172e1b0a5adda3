"""The largest piece of HandSegNet's mask; checkpoint= takes what configs/hand_segmentation's recipes leave."""

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
