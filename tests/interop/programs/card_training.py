"""The training and evaluation code of ModelScope's card of `hand-2d-keypoints`, with folders of this machine.

    python card_training.py MODEL DATA WORK KIND

KIND says how the labels of DATA are opened: 'json', 'imagefolder', 'directory' or 'split'. The last line is JSON.
handkit is never imported here.
"""

import json
import os
import sys

from modelscope.metainfo import Trainers
from modelscope.msdatasets import MsDataset
from modelscope.trainers import build_trainer

model_id, data, work_dir, kind = sys.argv[1:]
assert "handkit" not in sys.modules
called = []


def load():
    if kind == "json":
        return MsDataset.load("json", data_files={"train": os.path.join(data, "rows.jsonl")}, split="train")
    if kind == "imagefolder":
        return MsDataset.load("imagefolder", data_dir=os.path.join(data, "imagefolder"), split="train")
    if kind == "directory":
        return MsDataset.load(os.path.join(data, "imagefolder"), split="train")
    from modelscope.msdatasets.dataset_cls.dataset import ExternalDataset

    return MsDataset(ExternalDataset({"subtrain": os.path.join(data, "split")}, {}))


kwargs = dict(
    model=model_id,
    train_dataset=load(),
    eval_dataset=load(),
    work_dir=work_dir,
    cfg_options={
        "train.max_epochs": 2,
        "train.dataloader.batch_size_per_gpu": 2,
        "train.dataloader.workers_per_gpu": 0,
    },
)


def note(event, arguments):
    if event == "socket.connect" and not isinstance(arguments[1], str):  # which is how processes here are reached
        called.append(repr(arguments[1]))


sys.addaudithook(note)
trainer = build_trainer(Trainers.easycv if kind != "imagefolder" else "handkit", kwargs)
trainer.train()
best = trainer.evaluate()
output = os.path.join(work_dir, "output")
again = build_trainer("easycv", dict(model=output, eval_dataset=load(), work_dir=os.path.join(work_dir, "again")))
print(
    json.dumps(
        {
            "class": f"{type(trainer).__module__}.{type(trainer).__name__}",
            "called": called,
            "best": best,
            "output": trainer.evaluate(output),
            "reopened": again.evaluate(),
        }
    )
)
