"""HandSegNet (Zimmermann and Brox, ICCV 2017) at the paper's width on rendered hands. Not trained here.

    python tools/train.py configs/hand_segmentation/handsegnet_w1_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_segmentation/handsegnet_w1_handsynth_256x256.py DIR/best.safetensors

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
handsegnet_handsynth_256x256.py with four times the channels: 13.6 million parameters.
"""

_base_ = ["handsegnet_handsynth_256x256.py"]

model = dict(backbone=dict(width=1.0), head=dict(in_channels=128, channels=512))
