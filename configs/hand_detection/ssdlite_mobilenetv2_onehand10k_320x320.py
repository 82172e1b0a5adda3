"""SSDLite-MobileNetV2 at 320 x 320 on OneHand10K, as mmpose published it for mmdet 2 (demo/mmdetection_cfg, 0.29).

    python tools/train.py configs/hand_detection/ssdlite_mobilenetv2_onehand10k_320x320.py --work-dir DIR
    handkit predict photo.jpg --model hand_detection/ssdlite_mobilenetv2_onehand10k_320x320 \
        --checkpoint DIR/best.safetensors

Data: OneHand10K's images below data/onehand10k, and mmpose's COCO files in data/onehand10k/annotations. Published: box
AP 0.779 on 8 GPUs with 24 images each, begun with mmdet's weights of COCO (load_from takes them). Not trained by
handkit yet. The warm-up is mmcv's of 500 iterations, which reaches the full rate one iteration after mmengine's.
"""

_base_ = ["../_base_/detectors/onehand_ssdlite_mobilenetv2.py"]

_input_size = (320, 320)
_root = "data/onehand10k/"
_tensors = [
    dict(type="MMToTensor"),
    dict(type="NormalizeTensor", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
]
_hands = dict(type="CocoHands", image_root=_root, box="annotated", unlabelled="skip")

task = "hand_detection"
model = dict(
    type="SSDLite",
    backbone={{_base_.detector.net.backbone}},
    neck={{_base_.detector.net.neck}},
    bbox_head={{_base_.detector.net.bbox_head}},
    selection=dict(type="BoxSelection", score_threshold=0.02, nms_iou=0.45, max_detections=200),
    assigner=dict(type="MaxIoUAssigner", pos_iou=0.5, neg_iou=0.5, min_pos_iou=0.0),
    loss=dict(type="MultiBoxLoss", neg_pos_ratio=3, smooth_l1_beta=1.0),
)
_train = dict(type="ImageBoxes", dataset=dict(ann_file=_root + "annotations/onehand10k_train.json", **_hands))
train_dataset = dict(type="RepeatDataset", times=5, dataset=_train)
_test = dict(ann_file=_root + "annotations/onehand10k_test.json", **_hands)
val_dataset = dict(type="ImageBoxes", dataset=_test, empty=True, min_size=0)
train_transforms = [
    dict(type="LoadImage"),
    dict(type="Expand", mean=(123.675, 116.28, 103.53), ratio_range=(1, 4)),
    dict(type="MinIoURandomCrop", min_ious=(0.1, 0.3, 0.5, 0.7, 0.9), min_crop_size=0.3),
    dict(type="Resize", input_size=_input_size),
    dict(type="RandomFlip", prob=0.5),
    dict(type="PhotoMetricDistortion"),
    *_tensors,
    dict(type="PoseCollect", keys=("img", "boxes", "counts")),
]
test_transforms = [
    dict(type="LoadImage"),
    dict(type="Resize", input_size=_input_size),
    *_tensors,
    dict(type="PoseCollect"),
]
metrics = [dict(type="BoxAP")]
best_metric = "box_AP"
batch_size = 192
lr_base_batch = 192
max_epochs = 120
optimizer = dict(type="SGD", lr=0.015, momentum=0.9, weight_decay=4e-5)
schedule = dict(type="CosineSchedule", warmup_iters=501, warmup_ratio=0.001, by_epoch=True)
val_interval = 5
