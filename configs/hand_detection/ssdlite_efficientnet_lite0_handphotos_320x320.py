"""SSDLite-EfficientNet-Lite0 at 320 x 320: the recipe beside it, with a backbone that begins with ImageNet's weights.

    handkit download efficientnet_lite0
    handkit train configs/hand_detection/ssdlite_efficientnet_lite0_handphotos_320x320.py --work-dir DIR --resume

Measured as ssdlite_mobilenetv2_handphotos_320x320.py says. An image takes .22 seconds of a CPU core in training
(measured; the whole recipe 5 hours of one). Scores: docs/weights.md.
"""

_base_ = ["ssdlite_mobilenetv2_handphotos_320x320.py"]

_channels = (112, 1280, 512, 256, 256, 128)
_backbone = dict(_delete_=True, type="EfficientNetLite0", out_indices=(4, 7))
_neck = dict(in_channels=_channels[:2], out_channels=_channels)

model = dict(backbone=_backbone, neck=_neck, bbox_head=dict(in_channels=_channels))
detector = dict(net=dict(backbone=_backbone, neck=_neck, bbox_head=dict(in_channels=_channels)))
backbone_from = "hub:efficientnet_lite0/efficientnet-lite0-57934424.pth"
optimizer = dict(lr=1e-3, backbone_lr_factor=0.5)
precision = "bf16"
