"""Score maps as in score_maps_256x256.py and the hand in its canonical frame, measured in the plane and in space."""

_base_ = ["score_maps_256x256.py"]

task = "hand_3d_keypoints"
train_transforms = [
    {{_base_._augmented}},
    dict(type="CanonicalPose"),
    {{_base_._tensors}},
    dict(type="TopDownGenerateTarget", codec={{_base_.codec}}),
    dict(type="PoseCollect", keys=("img", "heatmaps", "target_weight", "right", "canonical", "viewpoint")),
]
metrics = [
    {{_base_.metrics}},
    dict(type="MPJPE"),
    dict(type="PAMPJPE"),
    dict(type="AUC3D"),
    dict(type="MPJPE", frame="xyz_bone"),
    dict(type="AUC3D", frame="xyz_bone"),
]
best_metric = "MPJPE_mm"
