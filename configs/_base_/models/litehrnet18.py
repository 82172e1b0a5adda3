"""Lite-HRNet-18 (Yu et al., CVPR 2021), whose finest map is large enough for heat maps, for the 21 joints of a hand."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="LiteHRNet"),
    head=dict(type="HeatmapHead", in_channels=40, deconv_out_channels=(), deconv_kernel_sizes=()),
)
