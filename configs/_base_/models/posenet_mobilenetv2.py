"""TensorFlow.js's PoseNet on MobileNetV2 (Sandler et al., CVPR 2018): discs and offsets for the 21 joints of a hand."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="MobileNetV2", out_indices=(6,), output_stride=16),
    head=dict(type="OffsetHead", in_channels=320),
    losses=[dict(type="HeatmapBCELoss", loss_weight=4.0), dict(type="OffsetLoss")],
)
