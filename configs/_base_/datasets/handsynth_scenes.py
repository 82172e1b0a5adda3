"""Whole images with the joints of all their hands at 321 x 321: rendered scenes, rendered hands, rooms without hands.

handkit data synth --out data/handsynth/train --count 12000 --seed 100
handkit data synth --out data/handsynth/scenes --scenes --count 2000 --seed 300 --backgrounds data/rooms --skip 100
handkit data synth --out data/handsynth/val_scenes --scenes --count 500 --seed 301

8,000 views in an epoch. The first 100 rooms by name are held out, and so are scenes of another seed, before rooms by
rule.
"""

_input_size = (321, 321)
_rooms = dict(folder="data/rooms", skip=100)
_renders = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/train"))
_scenes = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/scenes"), empty=True)
_view = dict(type="RandomView", input_size=_input_size, hand_size=(0.09, 1.0), least_seen=0.4, least_side=20.0)

train_dataset = dict(
    type="WeightedConcat",
    datasets=[_scenes, _renders, dict(type="NegativeImages", **_rooms)],
    weights=(0.5, 0.4, 0.1),
    length=8000,
)
val_dataset = dict(type="ImageBoxes", dataset=dict(type="HandShards", folder="data/handsynth/val_scenes"), empty=True)
_views = [
    dict(type="LoadImage"),
    dict(**_view, **_rooms),
    dict(type="BackgroundPaste", **_rooms),
    dict(type="PasteHands", pictures=_renders, view=_view),
    dict(type="RandomPhotometric", brightness=0.2, contrast=0.5, gamma=0.5, white_balance=0.2, hue=12.0, prob=0.9),
    dict(type="RandomBlur", prob=0.2),
    dict(type="RandomNoise"),
]
metrics = [
    dict(type="DetectionRecall"),
    dict(type="FalseHandsPerImage"),
    dict(type="OKSAP"),
    dict(type="PCK"),
    dict(type="PCK", over="matched"),
    dict(type="NME", over="matched"),
]
best_metric = "PCK@0.2"
