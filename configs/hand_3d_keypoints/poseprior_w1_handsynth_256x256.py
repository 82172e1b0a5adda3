"""PosePrior (Zimmermann and Brox, ICCV 2017) at the paper's width on rendered hands. Not trained here.

    python tools/train.py configs/hand_3d_keypoints/poseprior_w1_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_3d_keypoints/poseprior_w1_handsynth_256x256.py DIR/best.safetensors --baseline

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
poseprior_handsynth_256x256.py with four times the channels: 21.5 million parameters with ScoreMapPoseNet and its head
for the side, which stay as scoremap_posenet_w1_handsynth_256x256.py left them in
work_dirs/scoremap_posenet_w1_handsynth_256x256.
"""

_base_ = [
    "../_base_/models/scoremap_posenet.py",
    "../_base_/targets/canonical_256x256.py",
    "../_base_/datasets/handsynth_largest.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

_posenet = "work_dirs/scoremap_posenet_w1_handsynth_256x256/best.safetensors"

model = dict(
    backbone=dict(width=1.0),
    head=dict(in_channels=128, channels=128, hidden_channels=512),
    aux_heads=[
        dict(type="PoseHandednessHead", in_channels=(512, 128)),
        dict(type="PosePriorHead"),
    ],
    losses=[dict(type="CanonicalMSELoss"), dict(type="ViewpointMSELoss")],
)
init_cfg = {"backbone": _posenet, "head": _posenet, "aux_heads.handedness": _posenet}
frozen = ("backbone", "head", "aux_heads.handedness")
batch_size = 64
val_batch_size = 64
max_epochs = 4
