"""mmpose's schedule of its hand heat-map models: Adam, 210 epochs, batches of 256, a warm-up of 500 iterations."""

batch_size = 256
lr_base_batch = 256
max_epochs = 210
optimizer = dict(type="Adam", lr=5e-4)
schedule = dict(type="MultiStepSchedule", milestones=(170, 200), gamma=0.1, warmup_iters=500, warmup_ratio=0.001)
val_interval = 10
