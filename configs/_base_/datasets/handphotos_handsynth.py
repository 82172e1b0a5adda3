"""Photographs with machine-made joints, rendered hands, and rooms without people, in one epoch of 10,000 crops.

Where the data comes from: docs/datasets.md. The first 100 rooms by name are held out.
"""

train_dataset = dict(
    type="WeightedConcat",
    datasets=[
        dict(type="HandShards", folder="data/handsynth/train"),
        dict(type="SourceBalance", dataset=dict(type="HandPhotos", ann_file="data/handphotos/train.json"), balance=0.5),
        dict(type="NegativePhotos", folder="data/rooms", skip=100, min_side=24),
    ],
    weights=(0.46, 0.44, 0.1),
    length=10000,
)
val_dataset = dict(type="HandPhotos", ann_file="data/handphotos/val.json")
