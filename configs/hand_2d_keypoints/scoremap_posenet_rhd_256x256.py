"""ScoreMapPoseNet (Zimmermann and Brox, ICCV 2017) on RHD: joints by score maps in stages.

    python tools/train.py configs/hand_2d_keypoints/scoremap_posenet_rhd_256x256.py --work-dir DIR
    python tools/test.py configs/hand_2d_keypoints/scoremap_posenet_rhd_256x256.py DIR/best.safetensors --baseline

RHD_published_v2 below data/.
The first part of poseprior_rhd_256x256.py. A quarter of the paper's width.
"""

_base_ = [
    "../_base_/models/scoremap_posenet.py",
    "../_base_/targets/score_maps_256x256.py",
    "../_base_/datasets/rhd_largest.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

task = "hand_2d_keypoints"
batch_size = 32
val_batch_size = 32
max_epochs = 4
