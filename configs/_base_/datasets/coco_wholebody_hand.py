"""COCO-WholeBody's hands (Jin et al., ECCV 2020): COCO 2017's images below data/coco, its own annotations."""

train_dataset = dict(
    type="CocoWholeBodyHand",
    ann_file="data/coco/annotations/coco_wholebody_train_v1.0.json",
    image_root="data/coco/train2017",
)
val_dataset = dict(
    type="CocoWholeBodyHand",
    ann_file="data/coco/annotations/coco_wholebody_val_v1.0.json",
    image_root="data/coco/val2017",
)
