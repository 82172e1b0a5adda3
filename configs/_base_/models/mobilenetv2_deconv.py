"""MobileNetV2 (Sandler et al., CVPR 2018) and three deconvolutions, for the 21 joints of a hand."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="MobileNetV2", out_indices=(7,)),
    head=dict(type="HeatmapHead", in_channels=1280),
)
