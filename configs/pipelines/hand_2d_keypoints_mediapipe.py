"""MediaPipe's palm and hand nets (Zhang et al., 2020, arXiv:2006.10214; Apache-2.0) by LiteRT.

    handkit predict photo.jpg --out drawn

Needs no torch. Thresholds: those of the card. For the lite nets point the three checkpoints of this config at
hub:mediapipe_hands/palm_detection_lite.tflite (twice) and hub:mediapipe_hands/hand_landmark_lite.tflite.

Measured with the full nets: of 520 hands boxed by people in photographs of gestures and of ASL letters 91.9 % are found
(85.6 % without the second look), the box of the joints overlapping the person's by an IoU above 0.3; in 100 photographs
of rooms without people no hand is seen. demo/hand.png, 640 x 480, takes 23 ms on one thread of a busy 2-core Xeon, the
quickest of 100 calls.
"""

_input_size = (224, 224)
_padding = 1.25
_tensors = [dict(type="MMToTensor"), dict(type="PoseCollect", keys=("img",))]

_palms = dict(
    type="PalmDetector",
    net=dict(type="MediaPipePalm"),
    checkpoint="hub:mediapipe_hands/palm_detection_full.tflite",
    runtime=dict(type="LiteRTRuntime"),
    transforms=_tensors,
    region_to_box=_padding,
)

task = "hand_2d_keypoints"
card = "mediapipe_hands"
detector = dict(**_palms)
# Palms that fill the picture are found at half the size.
retry_detector = dict(**_palms, scale=0.5)
test_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownAffine", input_size=_input_size, padding=_padding, use_udp=True, border="replicate"),
    *_tensors,
]
model = dict(type="MediaPipeHandLandmarks")
checkpoint = "hub:mediapipe_hands/hand_landmark_full.tflite"
codec = dict(type="Regression", input_size=_input_size)
runtime = dict(type="LiteRTRuntime")
given_rotations = 8
