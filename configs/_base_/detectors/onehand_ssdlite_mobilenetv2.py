"""SSDLite-MobileNetV2 at 320 x 320, trained on OneHand10K: mmpose's ssdlite_mobilenetv2_scratch_600e_onehand.

Published box AP on OneHand10K: 0.779 (not measured here; its images show one hand each, so this says nothing about
two). The score threshold is the one of the ModelScope bundle that uses this network; the checkpoint's keys are mmdet's.
"""

_ssd_norm = dict(bn_eps=0.001, bn_momentum=0.03)
_ssd_channels = (96, 1280, 512, 256, 256, 128)

detector = dict(
    type="OneHandDetector",
    net=dict(
        type="SSDLite",
        backbone=dict(type="MobileNetV2", out_indices=(4, 7), init_std=0.03, **_ssd_norm),
        neck=dict(
            type="SSDNeck", in_channels=_ssd_channels[:2], out_channels=_ssd_channels, init_std=0.03, **_ssd_norm
        ),
        bbox_head=dict(
            type="SSDHead",
            in_channels=_ssd_channels,
            anchors=dict(
                type="SSDAnchors",
                strides=(16, 32, 64, 107, 160, 320),
                ratios=((2, 3),) * 6,
                min_sizes=(48, 100, 150, 202, 253, 304),
                max_sizes=(100, 150, 202, 253, 304, 320),
            ),
            target_stds=(0.1, 0.1, 0.2, 0.2),
            init_std=0.001,
            **_ssd_norm,
        ),
    ),
    checkpoint=None,
    runtime=dict(type="TorchRuntime"),
    transforms=[
        dict(type="MMToTensor"),
        dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    ],
    score_threshold=0.5,
    nms_iou=0.45,
    input_size=(320, 320),
    max_detections=200,
)
