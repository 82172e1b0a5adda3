"""HandSegNet (Zimmermann and Brox, ICCV 2017) at a quarter of its width on RHD: which pixels show a hand.

    python tools/train.py configs/hand_segmentation/handsegnet_rhd_256x256.py --work-dir DIR
    python tools/test.py configs/hand_segmentation/handsegnet_rhd_256x256.py DIR/best.safetensors

RHD_published_v2 below data/.
"""

_base_ = [
    "../_base_/models/handsegnet.py",
    "../_base_/transforms/handsegnet_256x256.py",
    "../_base_/datasets/rhd_images.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

batch_size = 16
val_batch_size = 16
max_epochs = 2
