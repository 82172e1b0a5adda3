"""RHD as its authors publish it (RHD_published_v2: training, evaluation, each with color and mask): 3D and masks."""

_rhd = dict(type="RHD", masks=True)

train_dataset = dict(**_rhd, ann_file="data/RHD_published_v2/training/anno_training.pickle")
val_dataset = dict(**_rhd, ann_file="data/RHD_published_v2/evaluation/anno_evaluation.pickle")
