"""SSDLite-MobileNetV2 at 320 x 320 for hands from 24 pixels on: the published one with smaller anchors, and tiles."""

_norm = dict(bn_eps=0.001, bn_momentum=0.03)
_channels = (96, 1280, 512, 256, 256, 128)
_backbone = dict(type="MobileNetV2", out_indices=(4, 7), **_norm)
_neck = dict(type="SSDNeck", in_channels=_channels[:2], out_channels=_channels, **_norm)
_bbox_head = dict(
    type="SSDHead",
    in_channels=_channels,
    anchors=dict(
        type="SSDAnchors",
        strides=(16, 32, 64, 107, 160, 320),
        ratios=((2,), (2,), (2,), (2,), (2,), (2,)),
        min_sizes=(28, 64, 112, 168, 224, 280),
        max_sizes=(64, 112, 168, 224, 280, 320),
    ),
    target_stds=(0.1, 0.1, 0.2, 0.2),
    init_std=0.001,
    **_norm,
)

task = "hand_detection"
model = dict(
    type="SSDLite",
    backbone=_backbone,
    neck=_neck,
    bbox_head=_bbox_head,
    selection=dict(type="BoxSelection", score_threshold=0.02, nms_iou=0.45, max_detections=100),
    assigner=dict(type="MaxIoUAssigner", pos_iou=0.5, neg_iou=0.4),
    loss=dict(type="MultiBoxLoss", min_negatives=12),
)
detector = dict(
    type="OneHandDetector",
    net=dict(type="SSDLite", backbone=_backbone, neck=_neck, bbox_head=_bbox_head),
    checkpoint=None,
    runtime=dict(type="TorchRuntime"),
    transforms=[
        dict(type="MMToTensor"),
        dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    ],
    score_threshold=0.5,
    nms_iou=0.45,
    input_size=(320, 320),
    max_detections=20,
    tile=0.6,
)
