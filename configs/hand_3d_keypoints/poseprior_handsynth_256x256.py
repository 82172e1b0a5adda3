"""PosePrior (Zimmermann and Brox, ICCV 2017) on rendered hands: joints in space by score maps.

    python tools/train.py configs/hand_3d_keypoints/poseprior_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_3d_keypoints/poseprior_handsynth_256x256.py DIR/best.safetensors --baseline

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
ScoreMapPoseNet and its head for the side stay as scoremap_posenet_handsynth_256x256.py left them in
work_dirs/scoremap_posenet_handsynth_256x256. A quarter of the paper's width.
22 minutes an epoch of 8,500 pictures on one core of an EPYC that did other things beside.
To reach: MPJPE 0.6 of the mean pose's; reached in 3 epochs: 0.70.
"""

_base_ = [
    "../_base_/models/poseprior.py",
    "../_base_/targets/canonical_256x256.py",
    "../_base_/datasets/handsynth_largest.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

_posenet = "work_dirs/scoremap_posenet_handsynth_256x256/best.safetensors"

model = dict(losses=[dict(type="CanonicalMSELoss"), dict(type="ViewpointMSELoss")])
init_cfg = {"backbone": _posenet, "head": _posenet, "aux_heads.handedness": _posenet}
frozen = ("backbone", "head", "aux_heads.handedness")
batch_size = 64
val_batch_size = 64
max_epochs = 4
