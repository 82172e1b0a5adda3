"""The largest piece of HandSegNet's mask; checkpoint= takes what configs/hand_segmentation's recipes leave."""

_base_ = ["../models/handsegnet.py"]

detector = dict(
    type="HandSegDetector",
    net={{_base_.model}},
    checkpoint=None,
    runtime=dict(type="TorchRuntime"),
    transforms=[dict(type="MMToTensor"), dict(type="NormalizeTensor")],
)
