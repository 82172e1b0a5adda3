"""Joints in space for crops of 192 x 192 pixels in any rotation, measured in the plane and in space.

The maps are read as hrnetv2_w18_dark_handphotos_192x192.py makes them.
"""

_input_size = (192, 192)
_affine = dict(type="TopDownAffine", input_size=_input_size, padding=1.25)
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]

task = "hand_3d_keypoints"
codec = dict(
    type="GaussianHeatmap",
    input_size=_input_size,
    heatmap_size=(48, 48),
    sigma=1.75,
    dark=True,
    probabilities=True,
    blur=2.5,
)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="TopDownRandomShift", shift_factor=0.1, shift_prob=0.7),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.8, 1.25), rotate_prob=0.9, distribution="uniform"),
    dict(type="TopDownRandomFlip"),
    _affine,
    dict(type="RandomPhotometric"),
    dict(type="RandomBlur", prob=0.2),
    dict(type="RandomNoise"),
    dict(type="CanonicalPose"),
    *_tensors,
    dict(type="PoseCollect", keys=("img", "right", "xyz_bone")),
]
test_transforms = [dict(type="LoadImage"), _affine, *_tensors, dict(type="PoseCollect", keys=("img",))]
metrics = [
    dict(type="PCK"),
    dict(type="AUC"),
    dict(type="EPE"),
    dict(type="HandednessAccuracy"),
    dict(type="MPJPE"),
    dict(type="PAMPJPE"),
    dict(type="AUC3D"),
    dict(type="MPJPE", frame="xyz_bone"),
    dict(type="AUC3D", frame="xyz_bone"),
]
best_metric = "MPJPE_mm"
best_mode = "min"
