"""PFLD on rendered hands.

handkit data synth --out data/handsynth/train --count 12000 --seed 100
handkit data synth --out data/handsynth/val --count 2000 --seed 201
python tools/train.py configs/hand_2d_keypoints/pfld_handsynth_112x112.py --work-dir DIR
python tools/test.py configs/hand_2d_keypoints/pfld_handsynth_112x112.py DIR/best.safetensors --baseline

72 epochs of 8,500 hands, three trainings one after the other, reach an NME of 0.081: docs/systems.md.
"""

_base_ = ["../_base_/models/pfld.py"]

_input_size = (112, 112)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_2d_keypoints"
codec = dict(type="Regression", input_size=_input_size)
train_dataset = dict(type="HandShards", folder="data/handsynth/train")
val_dataset = dict(type="HandShards", folder="data/handsynth/val")
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.1, shift_prob=0.7),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.8, 1.25), rotate_factor=40.0, distribution="uniform"),
    dict(type="TopDownRandomUpright", upright_prob=0.75, rotate_sigma=12.0),
    dict(type="TopDownRandomFlip"),
    _affine,
    dict(type="RandomOcclusion", prob=0.3),
    dict(type="RandomPhotometric"),
    dict(type="RandomBlur", sigma=(0.3, 1.2), length=(2.0, 6.0), prob=0.2),
    dict(type="RandomNoise"),
    dict(type="HandAttributes"),
    *_tensors,
    dict(type="TopDownGenerateTarget", codec=codec),
    dict(type="PoseCollect", keys=("img", "coordinates", "target_weight", "hand", "hand_angles", "hand_classes")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
flip_test = "aligned"
second_look = True
metrics = [dict(type="NME"), dict(type="PCK"), dict(type="AUC"), dict(type="EPE")]
best_metric = "NME"
best_mode = "min"
batch_size = 32
val_batch_size = 64
max_epochs = 12
optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, final_ratio=0.01)
ema_decay = 0.998
clip_grad_norm = 5.0
precision = "bf16"
