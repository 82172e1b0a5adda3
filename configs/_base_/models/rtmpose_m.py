"""RTMPose-m (Jiang et al., arXiv 2303.07399): CSPNeXt-m and coordinate classification, for the 21 joints of a hand."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="CSPNeXt", deepen_factor=0.67, widen_factor=0.75),
    head=dict(type="RTMCCHead", in_channels=768, input_size=(256, 256), in_featuremap_size=(8, 8), beta=10.0),
)
