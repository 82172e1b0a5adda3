"""WFLW (Wu et al., CVPR 2018), 98 points of faces, as its authors publish it, below data/wflw."""

_lists = "data/wflw/WFLW_annotations/list_98pt_rect_attr_train_test/"
_wflw = dict(type="WFLW", image_root="data/wflw/WFLW_images")

skeleton = "wflw"
train_dataset = dict(**_wflw, ann_file=_lists + "list_98pt_rect_attr_train.txt")
val_dataset = dict(**_wflw, ann_file=_lists + "list_98pt_rect_attr_test.txt")
