"""HRNetV2-W18 on WFLW: every line of hrnetv2_w18_onehand10k_256x256 but data set, skeleton and what is measured.

    python tools/train.py configs/face_2d_keypoints/hrnetv2_w18_wflw_256x256.py --work-dir DIR
    python tools/test.py configs/face_2d_keypoints/hrnetv2_w18_wflw_256x256.py DIR/best.safetensors

WFLW below data/wflw. NME is over the distance of the outer corners of the eyes: best.safetensors has the best one, and
last.pth the final state with all that `--resume` needs. With `--cfg-options tensorboard=True` the numbers go to
TensorBoard too. Not trained by handkit yet.
"""

_base_ = [
    "../_base_/models/hrnetv2_w18.py",
    "../_base_/targets/heatmap_256x256.py",
    "../_base_/datasets/wflw.py",
    "../_base_/schedules/adam_210e.py",
]

task = "face_2d_keypoints"
model = dict(head=dict(out_channels=98), losses=[dict(type="KeypointMSELoss")])
metrics = [dict(type="NME", joints=(60, 72))]
best_metric = "NME"
best_mode = "min"
batch_size = 512
lr_base_batch = 512
