"""OneHand10K (Wang et al., TCSVT 2019) in mmpose's JSON, below data/onehand10k; boxes are those around the masks."""

_onehand10k = dict(type="OneHand10K", image_root="data/onehand10k", box="annotated")

train_dataset = dict(**_onehand10k, ann_file="data/onehand10k/annotations/onehand10k_train.json")
val_dataset = dict(**_onehand10k, ann_file="data/onehand10k/annotations/onehand10k_test.json")
