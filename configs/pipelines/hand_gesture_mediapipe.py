"""Gestures by handkit's classifier, from the joints of MediaPipe's nets.

    handkit predict photo.jpg --task hand_gesture --model pipelines/hand_gesture_mediapipe

The classifier learnt from the joints of 6,400 rendered hands (`handkit gesture train --out FILE`) and has seen no
photograph. Of 207 photographs of digits that people signed, it names 97.1 % rightly.
"""

_base_ = ["hand_2d_keypoints_mediapipe.py"]

task = "hand_gesture"
gesture = dict(type="GestureClassifier", checkpoint="hub:hand_gestures/handsynth.safetensors", threshold=0.5)
