"""RHD (Zimmermann and Brox, ICCV 2017) in mmpose's JSON, below data/rhd; boxes are tight around the joints."""

_rhd = dict(type="RHD", image_root="data/rhd", box="annotated")

train_dataset = dict(**_rhd, ann_file="data/rhd/annotations/rhd_train.json")
val_dataset = dict(**_rhd, ann_file="data/rhd/annotations/rhd_test.json")
