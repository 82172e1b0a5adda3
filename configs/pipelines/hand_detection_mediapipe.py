"""Hand boxes by MediaPipe's palm net alone, at a threshold of its own since no landmark net checks them.

handkit predict photo.jpg --task hand_detection --out drawn
"""

_base_ = ["./hand_2d_keypoints_mediapipe.py"]

task = "hand_detection"
box_threshold = 0.5
retry_detector = None
