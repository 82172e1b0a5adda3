"""ScoreMapPoseNet (Zimmermann and Brox, ICCV 2017) on rendered hands: joints by score maps in stages.

    python tools/train.py configs/hand_2d_keypoints/scoremap_posenet_handsynth_256x256.py --work-dir DIR
    python tools/test.py configs/hand_2d_keypoints/scoremap_posenet_handsynth_256x256.py DIR/best.safetensors --baseline

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
The first part of poseprior_handsynth_256x256.py. A quarter of the paper's width.
About 2 hours on one core of a Xeon (Sapphire Rapids), estimated from single steps. To reach: side accuracy 0.95.
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
