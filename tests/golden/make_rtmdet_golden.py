"""Makes mmdet_rtmdet.npz and mmdet_rtmdet_keys.json by running mmdet on the rules of rtmdet_rule.py.

    python tests/golden/make_rtmdet_golden.py

needs mmpose 1.3.2 and mmdet 3.3.0 (with mmcv, whose NMS runs) in the environment of that python, not handkit. Written
by torch 2.13, mmcv 2.1 and numpy 2.4 on a CPU. What it stores:

- the JSON: every key of mmdet's detector of mmpose's config ``rtmdet_nano_320-8xb32_hand`` with its shape, in order;
- ``boxes`` (20, 100, 4), ``scores`` (20, 100), ``counts`` (20,): mmdet's `inference_detector` with that config on
  `mmdet_rule.images`, score_thr .05;
- ``logits`` (50,), ``distances`` (50,): the head's outputs on the first of them, by level, row and column, sampled
  evenly over the flat arrays;
- ``shared_logits``, ``shared_distances``: all outputs of the second net on `rtmdet_rule.maps`, likewise ordered, and
  ``shared_keys``: its keys.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mmdet_rule
import numpy as np
import rtmdet_rule

HERE = Path(__file__).resolve().parent
Array = np.ndarray[Any, Any]


def detector() -> Any:
    import mmpose
    import torch
    from mmdet.registry import MODELS
    from mmdet.utils import register_all_modules
    from mmengine.config import Config

    torch.set_num_threads(1)
    register_all_modules()
    folder = Path(mmpose.__file__).parent / ".mim" / "demo" / "mmdetection_cfg"
    config = Config.fromfile(str(folder / "rtmdet_nano_320-8xb32_hand.py"))
    model = MODELS.build(config.model).eval()
    model.cfg = config
    return model


def fill(model: Any) -> dict[str, tuple[int, ...]]:
    import torch

    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    model.load_state_dict({key: torch.from_numpy(np.asarray(v)) for key, v in rtmdet_rule.state(shapes).items()})
    return shapes


def flat(levels: Any) -> Array:
    """Maps (N, C, H, W) of the levels -> (N, A, C)."""
    return np.concatenate([level.numpy().reshape(*level.shape[:2], -1).swapaxes(1, 2) for level in levels], axis=1)


def predictions(model: Any) -> dict[str, Array]:
    from mmdet.apis import inference_detector

    images = mmdet_rule.images()
    boxes, scores = np.zeros((len(images), 100, 4), np.float32), np.zeros((len(images), 100), np.float32)
    counts, raw = np.zeros(len(images), np.int64), []
    hook = model.bbox_head.register_forward_hook(lambda module, inputs, outputs: raw.append(outputs))
    for index, image in enumerate(images):
        found = inference_detector(model, np.ascontiguousarray(image[..., ::-1])).pred_instances
        counts[index] = len(found.scores)
        boxes[index, : counts[index]] = found.bboxes.numpy()
        scores[index, : counts[index]] = found.scores.numpy()
    hook.remove()
    made = {"boxes": boxes, "scores": scores, "counts": counts}
    for name, levels in zip(("logits", "distances"), raw[0], strict=True):
        values = flat(levels).ravel()
        made[name] = values[np.linspace(0, len(values) - 1, 50).astype(int)]
    print("share of points above .05:", [float((flat(logits) > np.log(0.05 / 0.95)).mean()) for logits, _ in raw])
    print("distances:", np.percentile(flat(raw[0][1]), [0, 5, 50, 95, 100]), "logits:", flat(raw[0][0]).std())
    return made


def shared() -> dict[str, Array]:
    import torch
    from mmdet.registry import MODELS

    norm = dict(norm_cfg=dict(type="BN"), act_cfg=dict(type="SiLU"))
    points = dict(type="MlvlPointGenerator", offset=0, strides=[8, 16, 32])
    head = dict(type="RTMDetSepBNHead", num_classes=1, with_objectness=False, anchor_generator=points)
    coder = dict(bbox_coder=dict(type="DistancePointBBoxCoder"))
    net = torch.nn.Sequential(
        MODELS.build({"type": "CSPNeXtPAFPN", **norm, **rtmdet_rule.SHARED_NECK}),
        MODELS.build({**head, **coder, **norm, **rtmdet_rule.SHARED_HEAD}),
    ).eval()
    keys = fill(net)
    with torch.inference_mode():
        logits, distances = net([torch.from_numpy(level) for level in rtmdet_rule.maps()])
    return {
        "shared_logits": flat(logits)[..., 0],
        "shared_distances": flat(distances),
        "shared_keys": np.array(list(keys)),
    }


def main() -> None:
    model = detector()
    lines = [f"{json.dumps(key)}: {json.dumps(shape)}" for key, shape in fill(model).items()]
    (HERE / "mmdet_rtmdet_keys.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    arrays = {**predictions(model), **shared()}
    np.savez_compressed(HERE / "mmdet_rtmdet.npz", **arrays)
    print({name: value.shape for name, value in arrays.items()}, arrays["counts"])


if __name__ == "__main__":
    main()
