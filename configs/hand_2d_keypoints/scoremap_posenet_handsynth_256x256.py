"""ScoreMapPoseNet (Zimmermann and Brox, ICCV 2017) on rendered hands: joints by score maps in stages.

    python tools/train.py configs/hand_2d_keypoints/scoremap_posenet_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_2d_keypoints/scoremap_posenet_handsynth_256x256.py DIR/best.safetensors --baseline

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
The first part of poseprior_handsynth_256x256.py. A quarter of the paper's width.
33 minutes an epoch of 8,500 pictures on one core of an EPYC that did other things beside. To reach: side accuracy 0.95;
reached in 3: 0.61, together with PosePrior 0.83 (docs/systems.md).
"""

_base_ = [
    "../_base_/models/scoremap_posenet.py",
    "../_base_/targets/score_maps_256x256.py",
    "../_base_/datasets/handsynth_largest.py",
    "../_base_/schedules/adamw_cosine_bf16.py",
]

task = "hand_2d_keypoints"
batch_size = 32
val_batch_size = 32
max_epochs = 5
