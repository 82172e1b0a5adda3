"""Rendered hands on disk, unseen ones of the same generator to measure, and what is done to them in training.

handkit data synth --out data/handsynth/train --count 12000 --seed 100
handkit data synth --out data/handsynth/val --count 2000 --seed 201
"""

train_dataset = dict(type="HandShards", folder="data/handsynth/train")
val_dataset = dict(type="HandShards", folder="data/handsynth/val")
_moves = [
    dict(type="TopDownRandomShift", shift_factor=0.1, shift_prob=0.7),
    dict(type="TopDownGetRandomScaleRotation", scale_factor=(0.8, 1.25), rotate_prob=0.9, distribution="uniform"),
    dict(type="TopDownRandomFlip"),
]
_looks = [
    dict(type="RandomPhotometric", brightness=0.2, contrast=0.5, gamma=0.5, white_balance=0.2, hue=12.0, prob=0.9),
    dict(type="RandomBlur", prob=0.2),
    dict(type="RandomNoise"),
]
metrics = [dict(type="PCK"), dict(type="PCK", threshold=0.1), dict(type="NME"), dict(type="EPE")]
best_metric = "PCK@0.2"
