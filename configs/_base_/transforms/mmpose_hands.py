"""What mmpose's recipes for 2D hands do to a photograph, whatever the targets, and what they are measured by."""

task = "hand_2d_keypoints"
_moves = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.16, shift_prob=0.3),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.7, 1.3), rotate_factor=180.0, rotate_prob=0.6),
    dict(type="TopDownRandomFlip", flip_prob=0.5),
]
_tensors = [
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
]
metrics = [dict(type="PCK"), dict(type="AUC"), dict(type="EPE"), dict(type="NME")]
best_metric = "AUC"
best_mode = "max"
