"""HRNetV2-W18 of hrnetv2_w18_hand.py, and a head that lifts its joints into space."""

_base_ = ["./hrnetv2_w18.py"]

model = dict(
    head=dict(softmax=True),
    aux_heads=[dict(type="PoseHandednessHead"), dict(type="PresenceHead"), dict(type="LiftingHead")],
    losses=[dict(type="MPJPELoss")],
)
