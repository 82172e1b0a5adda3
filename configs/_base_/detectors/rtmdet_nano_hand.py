"""RTMDet-nano at 320 x 320: mmpose's rtmdet_nano_320-8xb32_hand, of which RTMPose's hand demos take their boxes.

Published box AP on OneHand10K: 0.760, trained on OneHand10K, FreiHAND, RHD and Halpe (not measured here; OneHand10K's
images show one hand each, so this says nothing about two). The checkpoint's keys are mmdet's. Images keep the ratio of
their sides, and the network takes B, G, R. mmpose's demos cut at a score of 0.3.
"""

detector = dict(
    type="OneHandDetector",
    net=dict(
        type="RTMDet",
        backbone=dict(type="CSPNeXt", deepen_factor=0.33, widen_factor=0.25, out_indices=(2, 3, 4), use_depthwise=True),
        neck=dict(
            type="CSPNeXtPAFPN", in_channels=(64, 128, 256), out_channels=64, num_csp_blocks=1, use_depthwise=True
        ),
        bbox_head=dict(
            type="RTMDetSepBNHead",
            in_channels=64,
            feat_channels=64,
            stacked_convs=2,
            strides=(8, 16, 32),
            share_conv=False,
            use_depthwise=True,
            exp_on_reg=False,
        ),
    ),
    checkpoint=None,
    runtime=dict(type="TorchRuntime"),
    transforms=[
        dict(type="MMToTensor"),
        dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
        dict(type="ReverseChannels"),
    ],
    score_threshold=0.3,
    nms_iou=0.6,
    input_size=(320, 320),
    max_detections=100,
    pad_value=114,
)
