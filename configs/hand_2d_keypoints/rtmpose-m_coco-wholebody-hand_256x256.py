"""RTMPose-m on COCO-WholeBody-Hand, nearly as mmpose published it.

    python tools/train.py configs/hand_2d_keypoints/rtmpose-m_coco-wholebody-hand_256x256.py --work-dir DIR \
        --cfg-options backbone_from=cspnext-m_udp-aic-coco_210e-256x192.pth

COCO 2017 images below data/coco, and COCO-WholeBody's annotations in data/coco/annotations. Paper: PCK@0.2 0.815, AUC
0.837, EPE 4.51 with true boxes and the flip test, on 8 GPUs with 32 hands each. Not trained by handkit yet.

Five things differ: what stands in front, blur and colours come from handkit's augmentations; they stay as they are to
the end, where mmpose lessens them for the last 30 epochs; the loss is the mean over hands, mmpose's the sum over them;
the average of the weights begins otherwise; the flip test moves the mirrored bins back, so that none is half a bin off.
"""

_base_ = [
    "../_base_/models/rtmpose_m.py",
    "../_base_/targets/simcc_256x256.py",
    "../_base_/datasets/coco_wholebody_hand.py",
]

model = dict(losses=[dict(type="KLDiscretLoss", beta=10.0, label_softmax=True, label_beta=10.0)])
batch_size = 256
lr_base_batch = 256
max_epochs = 210
val_interval = 10
optimizer = dict(type="AdamW", lr=4e-3, weight_decay=0.05)
schedule = dict(type="CosineSchedule", warmup_iters=1000, warmup_ratio=1e-5, flat_share=0.5, final_ratio=0.05)
ema_decay = 0.9998
