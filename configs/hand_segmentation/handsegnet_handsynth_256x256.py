"""HandSegNet (Zimmermann and Brox, ICCV 2017) at a quarter of its width on rendered hands: which pixels show a hand.

    python tools/train.py configs/hand_segmentation/handsegnet_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_segmentation/handsegnet_handsynth_256x256.py DIR/best.safetensors

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
67 minutes on half of two cores of a Xeon (Sapphire Rapids). To reach: IoU 0.70; reached: 0.82,
in 3 epochs of 8,500 pictures 0.79.
"""

_base_ = [
    "../_base_/models/handsegnet.py",
    "../_base_/transforms/handsegnet_256x256.py",
    "../_base_/datasets/handsynth_images.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

batch_size = 16
val_batch_size = 16
max_epochs = 4
