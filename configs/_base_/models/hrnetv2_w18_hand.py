"""HRNetV2-W18 that also tells left from right and whether there is a hand; maps learnt by spatial cross-entropy."""

_base_ = ["./hrnetv2_w18.py"]

model = dict(
    head=dict(softmax=True),
    aux_heads=[dict(type="PoseHandednessHead"), dict(type="PresenceHead")],
    losses=[
        dict(type="SpatialCrossEntropyLoss"),
        dict(type="HandednessLoss"),
        dict(type="PresenceLoss", loss_weight=0.3),
    ],
)
