"""ResNet-50 and three deconvolutions (Xiao et al., Simple Baselines, ECCV 2018), for the 21 joints of a hand."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="ResNet", depth=50),
    head=dict(type="HeatmapHead", in_channels=2048),
)
