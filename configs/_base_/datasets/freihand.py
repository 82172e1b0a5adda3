"""FreiHAND (Zimmermann et al., ICCV 2019) as published, below data/freihand: 130,240 pictures, 3,960 to measure on.

mmpose measures on a tenth of the training pictures instead; such numbers are not comparable with these.
"""

train_dataset = dict(type="FreiHAND", ann_file="data/freihand/training_xyz.json")
val_dataset = dict(type="FreiHAND", ann_file="data/freihand/evaluation_xyz.json")
