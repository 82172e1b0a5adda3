"""Gestures from 21 joints: a perceptron that learns from the joints of rendered hands, no pixels.

    python tools/train.py configs/hand_gesture/gesture_mlp_handsynth.py --work-dir DIR
    python tools/test.py configs/hand_gesture/gesture_mlp_handsynth.py DIR/best.safetensors
    handkit predict photo.jpg --task hand_gesture --cfg-options gesture.checkpoint=DIR/best.safetensors

About 3 minutes on one core of a Xeon (Sapphire Rapids). It is of no paper. The hands that are held out choose nothing:
they are measured once, after the last epoch. `handkit gesture train` runs this config, on joints of photographs too.
"""

_classes = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("fist", "thumb", "gun", "call", "horns", "love"),
)
_joints = dict(type="RenderedGestures", classes=_classes, count=400)

task = "gesture_classification"
checkpoint = "hub:hand_gestures/handsynth.safetensors"
model = dict(type="GestureMLP", classes=_classes, hidden=96, dropout=0.2, label_smoothing=0.05)
train_dataset = dict(**_joints, part="train")
val_dataset = dict(**_joints, part="val")
train_transforms = [
    dict(type="GestureFeatures", noise=0.06),
    dict(type="PoseCollect", keys=("features", "gesture", "class_weight")),
]
test_transforms = [dict(type="GestureFeatures"), dict(type="PoseCollect", keys=("features",))]
metrics = [dict(type="GestureAccuracy")]
batch_size = 128
val_batch_size = 256
drop_last = False
max_epochs = 40
val_interval = 40
workers = 0
optimizer = dict(type="AdamW", lr=3e-3, decay_vectors=True)
schedule = dict(type="CosineSchedule")
