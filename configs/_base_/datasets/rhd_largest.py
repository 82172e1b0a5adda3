"""The larger hand of each of RHD's pictures, as its authors publish it."""

_train = "data/RHD_published_v2/training/anno_training.pickle"
_val = "data/RHD_published_v2/evaluation/anno_evaluation.pickle"

train_dataset = dict(type="LargestHand", dataset=dict(type="RHD", ann_file=_train))
val_dataset = dict(type="LargestHand", dataset=dict(type="RHD", ann_file=_val))
