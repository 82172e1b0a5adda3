"""The shipped HRNetV2-W18, which stays as it is, and a head that lifts its joints into space."""

_base_ = ["./hrnetv2_w18.py"]

model = dict(
    head=dict(softmax=True),
    aux_heads=[dict(type="PoseHandednessHead"), dict(type="PresenceHead"), dict(type="LiftingHead")],
    losses=[dict(type="MPJPELoss")],
)
load_from = "bundle:hand_2d_keypoints/model.safetensors"
frozen = ("backbone", "head", "aux_heads.handedness", "aux_heads.presence")
