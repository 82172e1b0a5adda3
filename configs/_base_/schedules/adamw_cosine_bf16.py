"""AdamW with a cosine from a warm-up to a hundredth, in bf16, with the moving average of the weights."""

optimizer = dict(type="AdamW", lr=2e-3)
schedule = dict(type="CosineSchedule", warmup_iters=200, final_ratio=0.01)
ema_decay = 0.998
clip_grad_norm = 5.0
precision = "bf16"
