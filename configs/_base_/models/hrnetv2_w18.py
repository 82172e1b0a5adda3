"""HRNetV2-W18 (Wang et al., TPAMI 2020) with the head that joins its four resolutions, for the 21 joints of a hand."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="HRNet", width=18),
    head=dict(type="HRNetV2Head", in_channels=(18, 36, 72, 144), out_channels=21),
)
