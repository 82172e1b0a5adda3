"""The larger hand of each of HandSynth's pictures on disk; handsynth_images.py has the commands."""

train_dataset = dict(type="LargestHand", dataset=dict(type="HandShards", folder="data/handsynth/train"))
val_dataset = dict(type="LargestHand", dataset=dict(type="HandShards", folder="data/handsynth/val"))
