"""Joints in space by a small head on the shipped HRNetV2-W18, which stays as it is, on RHD.

    python tools/train.py configs/hand_3d_keypoints/hrnetv2_w18_lifting_rhd_192x192.py --work-dir DIR
    python tools/test.py configs/hand_3d_keypoints/hrnetv2_w18_lifting_rhd_192x192.py DIR/best.safetensors \
        --baseline

RHD_published_v2 below data/.
"""

_base_ = [
    "../_base_/models/hrnetv2_w18_lifting.py",
    "../_base_/targets/lifting_192x192.py",
    "../_base_/datasets/rhd_largest.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

batch_size = 64
val_batch_size = 64
max_epochs = 2
