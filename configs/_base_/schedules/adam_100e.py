"""mmpose's schedule on FreiHAND: Adam, 100 epochs, batches of 512, a warm-up of 500 iterations."""

batch_size = 512
lr_base_batch = 512
max_epochs = 100
optimizer = dict(type="Adam", lr=5e-4)
schedule = dict(type="MultiStepSchedule", milestones=(50, 70), gamma=0.1, warmup_iters=500, warmup_ratio=0.001)
val_interval = 1
