"""PFLD (Guo et al., arXiv:1902.10859) at three quarters of its width: 0.87 million parameters, 0.19 more to train."""

model = dict(
    type="TopDownEstimator",
    backbone=dict(type="PFLDNet"),
    head=dict(type="PFLDHead"),
    aux_heads=[dict(type="RotationHead")],
    losses=[dict(type="PFLDLoss", squared=False)],
)
