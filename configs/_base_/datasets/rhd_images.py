"""RHD's whole pictures with the masks of both hands: the classes 2 to 33 are one."""

_base_ = ["rhd_published.py"]

train_dataset = dict(_delete_=True, type="ImageBoxes", dataset={{_base_.train_dataset}})
val_dataset = dict(_delete_=True, type="ImageBoxes", dataset={{_base_.val_dataset}})
