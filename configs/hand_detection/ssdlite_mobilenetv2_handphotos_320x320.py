"""SSDLite-MobileNetV2 at 320 x 320 on photographs, rendered hands and rooms, from scratch; hands in any rotation.

    handkit train configs/hand_detection/ssdlite_mobilenetv2_handphotos_320x320.py --work-dir DIR --resume
    handkit test configs/hand_detection/ssdlite_mobilenetv2_handphotos_320x320.py DIR/best.safetensors --detector \
        --cfg-options val_dataset.drawn=only --negatives data/rooms --negatives-count 100

The second command measures the detector at its threshold: box_recall50 is the share of the boxes people drew that it
finds at an IoU of .5, false_hands_per_negative_image what it finds in the 100 rooms that training never saw.
An image takes .22 seconds of a CPU core in training (measured; the recipe 5 hours of one). Score: not trained yet.
"""

_base_ = ["../_base_/detectors/ssdlite_mobilenetv2_hands.py", "../_base_/datasets/handphotos_handsynth_boxes.py"]

metrics = [dict(type="BoxAP")]
best_metric = "box_AP50"
batch_size = 32
max_epochs = 10
optimizer = dict(type="AdamW", lr=1.5e-3, weight_decay=0.02)
schedule = dict(type="CosineSchedule", warmup_iters=300, final_ratio=0.01)
clip_grad_norm = 10.0
ema_decay = 0.998
precision = "bf16"
save_interval = 100
