"""HandSynth's whole pictures on disk with the masks of all hands.

handkit data synth --out data/handsynth/train --count 12000 --seed 100
handkit data synth --out data/handsynth/val --count 2000 --seed 201
"""

train_dataset = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/train"))
val_dataset = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/val"))
