"""FreiHAND with the whole picture as every hand's box, as mmpose cuts it; see freihand.py for files and splits."""

_freihand = dict(type="FreiHAND", box="frame")
train_dataset = dict(**_freihand, ann_file="data/freihand/training_xyz.json")
val_dataset = dict(**_freihand, ann_file="data/freihand/evaluation_xyz.json")
