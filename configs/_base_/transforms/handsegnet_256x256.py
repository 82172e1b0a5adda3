"""Whole images to HandSegNet: 256 x 256 anywhere of 320 x 320 in training, all of it in a test.

RHD's pictures have 320 x 320 pixels (not 360), so that Resize leaves them alone; HandSynth's of 256 x 256 are enlarged
to that.
"""

task = "hand_segmentation"
_tensors = [dict(type="MMToTensor"), dict(type="NormalizeTensor")]
_whole = [dict(type="LoadImage"), dict(type="Resize", input_size=(320, 320))]

train_transforms = [
    *_whole,
    dict(type="RandomCrop", crop_size=(256, 256)),
    dict(type="RandomFlip"),
    dict(type="RandomPhotometric"),
    dict(type="RandomNoise"),
    *_tensors,
    dict(type="PoseCollect", keys=("img", "mask")),
]
test_transforms = [*_whole, *_tensors, dict(type="PoseCollect", keys=("img",))]
metrics = [dict(type="MaskIoU")]
best_metric = "IoU"
