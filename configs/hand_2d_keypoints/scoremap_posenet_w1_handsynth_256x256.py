"""ScoreMapPoseNet (Zimmermann and Brox, ICCV 2017) at the paper's width on rendered hands. Not trained here.

    python tools/train.py configs/hand_2d_keypoints/scoremap_posenet_w1_handsynth_256x256.py --work-dir DIR
    handkit test hand_2d_keypoints/scoremap_posenet_w1_handsynth_256x256 DIR/best.safetensors --baseline

HandSynth below data/handsynth, see configs/_base_/datasets/handsynth_images.py.
scoremap_posenet_handsynth_256x256.py with four times the channels: 17.6 million parameters. The first part of
poseprior_w1_handsynth_256x256.py.
"""

_base_ = ["scoremap_posenet_handsynth_256x256.py"]

model = dict(
    backbone=dict(width=1.0),
    head=dict(in_channels=128, channels=128, hidden_channels=512),
    aux_heads=[dict(type="PoseHandednessHead", in_channels=(512, 128))],
)
