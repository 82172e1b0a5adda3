"""Makes mmdet_ssdlite.npz and mmdet_ssdlite_keys.json by running mmdet on the rules of mmdet_rule.py.

    python tests/golden/make_mmdet_golden.py

needs mmpose 1.3.2 and mmdet 3.3.0 (with mmcv, whose NMS runs) in the environment of that python, not handkit. Written
by torch 2.13, mmcv 2.1 and numpy 2.4 on a CPU. What it stores:

- the JSON: every key of mmdet's detector with its shape;
- ``boxes`` (20, 200, 4), ``scores`` (20, 200), ``counts`` (20,): mmdet's `inference_detector` on `mmdet_rule.images`
  with the config ``ssdlite_mobilenetv2_scratch_600e_onehand`` of mmpose, which has score_thr .02;
- ``few_boxes``, ``few_scores``, ``few_counts``: likewise for the first 5 images with nms_pre 100;
- ``anchors`` (6, 24): the first cell's anchors of each level, and ``anchor_sum`` (4,) over all;
- ``features`` (8, 50): the outputs of MobileNetV2 at `out_indices` 0 to 7 on the first image's first 64 x 64 pixels
  divided by 255, sampled evenly over the flat map;
- ``channels`` (2, 8): those outputs' channels at widen_factor 0.35 and 1.4;

and, in mmdet_step.npz, one training step of that detector in float64 on `mmdet_rule.step_images` and `STEP_BOXES`:

- ``loss_cls`` (6,), ``loss_bbox`` (6,): what each image contributes;
- ``assigned`` (6, 3234) int8: by `MaxIoUAssigner`, the box an anchor answers for, -1 for background;
- ``parameters``, ``norms`` and ``projections``: the gradients, see `gradient_rule.summary`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gradient_rule
import mmdet_rule
import numpy as np

HERE = Path(__file__).resolve().parent


def detector() -> Any:
    import mmpose
    import torch
    from mmdet.apis import init_detector

    torch.set_num_threads(1)
    folder = Path(mmpose.__file__).parent / ".mim" / "demo" / "mmdetection_cfg"
    model = init_detector(str(folder / "ssdlite_mobilenetv2_scratch_600e_onehand.py"), None, device="cpu")
    model.bbox_head.loss_cls = None  # mmdet 3.3.0 reads it but SSDHead never sets it: mmdetection#11780
    return model


def fill(model: Any) -> dict[str, list[int]]:
    import torch

    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    weights = {key: torch.from_numpy(np.asarray(value)) for key, value in mmdet_rule.state(shapes).items()}
    model.load_state_dict(weights)
    return {key: list(shape) for key, shape in shapes.items()}


def predictions(model: Any, count: int, prefix: str) -> dict[str, np.ndarray[Any, Any]]:
    from mmdet.apis import inference_detector

    images = mmdet_rule.images(count)
    boxes, scores = np.zeros((len(images), 200, 4), np.float32), np.zeros((len(images), 200), np.float32)
    counts = np.zeros(len(images), np.int64)
    for index, image in enumerate(images):
        found = inference_detector(model, np.ascontiguousarray(image[..., ::-1])).pred_instances
        counts[index] = len(found.scores)
        boxes[index, : counts[index]] = found.bboxes.numpy()
        scores[index, : counts[index]] = found.scores.numpy()
    return {f"{prefix}boxes": boxes, f"{prefix}scores": scores, f"{prefix}counts": counts}


def anchors(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    levels = model.bbox_head.prior_generator.grid_priors(
        [(20, 20), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)], device="cpu"
    )
    first = np.stack([level[:6].numpy().ravel() for level in levels])
    return {"anchors": first, "anchor_sum": np.concatenate([level.numpy() for level in levels]).sum(0, np.float64)}


def backbone() -> dict[str, np.ndarray[Any, Any]]:
    import torch
    from mmdet.models.backbones import MobileNetV2

    patch = torch.from_numpy(mmdet_rule.images(1)[0][:64, :64]).permute(2, 0, 1)[None].float() / 255
    channels = []
    for widen_factor in (0.35, 1.4):
        net = MobileNetV2(widen_factor, tuple(range(8)))
        net.eval()  # returns None in mmdet
        with torch.inference_mode():
            channels.append([feature.shape[1] for feature in net(patch)])
    net = MobileNetV2(out_indices=tuple(range(8)))
    net.eval()
    fill(net)
    with torch.inference_mode():
        flat = [feature.numpy().ravel() for feature in net(patch)]
    sampled = np.stack([values[np.linspace(0, len(values) - 1, 50).astype(int)] for values in flat])
    return {"features": sampled, "channels": np.array(channels)}


def training_step(model: Any) -> dict[str, np.ndarray[Any, Any]]:
    import torch
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData

    samples, assigned = [], []
    size = mmdet_rule.step_images().shape[2:]
    levels = model.bbox_head.prior_generator.grid_priors(
        [(20, 20), (10, 10), (5, 5), (3, 3), (2, 2), (1, 1)], device="cpu"
    )
    priors = InstanceData(priors=torch.cat(levels))
    for image_boxes in mmdet_rule.STEP_BOXES:
        boxes = torch.tensor(image_boxes).reshape(-1, 4)
        hands = InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.int64))
        samples.append(DetDataSample(gt_instances=hands, metainfo=dict(img_shape=size, pad_shape=size)))
        assigned.append(model.bbox_head.assigner.assign(priors, hands).gt_inds.numpy() - 1)
    model = model.double().train()
    losses = model(torch.from_numpy(mmdet_rule.step_images()).double(), samples, mode="loss")
    (sum(losses["loss_cls"]) + sum(losses["loss_bbox"])).sum().backward()
    return {
        "loss_cls": np.array([loss.item() for loss in losses["loss_cls"]]),
        "loss_bbox": np.array([loss.item() for loss in losses["loss_bbox"]]),
        "assigned": np.stack(assigned).astype(np.int8),
        **gradient_rule.summary(model),
    }


def main() -> None:
    model = detector()
    lines = [f"{json.dumps(key)}: {shape}" for key, shape in fill(model).items()]
    (HERE / "mmdet_ssdlite_keys.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    arrays = {**predictions(model, mmdet_rule.IMAGE_COUNT, ""), **anchors(model), **backbone()}
    model.bbox_head.test_cfg.nms_pre = 100
    arrays |= predictions(model, 5, "few_")
    np.savez_compressed(HERE / "mmdet_ssdlite.npz", **arrays)
    step = training_step(model)
    np.savez_compressed(HERE / "mmdet_step.npz", **step)
    print({name: value.shape for name, value in step.items()}, step["loss_cls"], step["loss_bbox"])
    print("anchors for hands", (step["assigned"] >= 0).sum(1), "gradients up to", step["norms"].max())
    print({name: value.shape for name, value in arrays.items()}, arrays["counts"], arrays["few_counts"])


if __name__ == "__main__":
    main()
