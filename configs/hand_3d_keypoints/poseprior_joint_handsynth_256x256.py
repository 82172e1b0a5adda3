"""ScoreMapPoseNet and PosePrior (Zimmermann and Brox, ICCV 2017) on rendered hands, trained together.

    python tools/train.py configs/hand_3d_keypoints/poseprior_joint_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_3d_keypoints/poseprior_joint_handsynth_256x256.py DIR/best.safetensors --baseline

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
The parts begin as scoremap_posenet_handsynth_256x256.py and poseprior_handsynth_256x256.py left them
below work_dirs. HandSegNet is trained apart: no gradient goes through the crop.
13 minutes an epoch of 8,500 pictures on one core of an EPYC. To reach: MPJPE 0.6 of the mean pose's; reached: 0.65,
after four epochs more 0.61 (docs/systems.md), by the weights of the bundle hand_3d_keypoints_poseprior.
"""

_base_ = [
    "../_base_/models/poseprior.py",
    "../_base_/targets/canonical_256x256.py",
    "../_base_/datasets/handsynth_largest.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

_posenet = "work_dirs/scoremap_posenet_handsynth_256x256/best.safetensors"
_prior = "work_dirs/poseprior_handsynth_256x256/best.safetensors"

model = dict(
    losses=[
        dict(type="ScoreMapMSELoss", loss_weight=100.0),
        dict(type="HandednessLoss", loss_weight=0.1),
        dict(type="CanonicalMSELoss", loss_weight=0.1),
        dict(type="ViewpointMSELoss", loss_weight=0.1),
    ]
)
init_cfg = {
    "backbone": _posenet,
    "head": _posenet,
    "aux_heads.handedness": _posenet,
    "aux_heads.pose_prior": _prior,
}
optimizer = dict(lr=5e-4)
batch_size = 32
val_batch_size = 32
max_epochs = 2
