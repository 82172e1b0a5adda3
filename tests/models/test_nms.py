"""Suppression and selection against slow, plain references."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from handkit.models.detectors import BoxSelection
from handkit.models.detectors.nms import box_iou, nms


def greedy(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> list[int]:
    """From the best box down, one by one."""
    kept: list[int] = []
    for index in sorted(range(len(scores)), key=lambda i: (-scores[i].item(), i)):
        if all(box_iou(boxes[index : index + 1], boxes[other : other + 1]) <= threshold for other in kept):
            kept.append(index)
    return kept


def crowd(seed: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes that overlap much, some equal, and scores with ties."""
    draw = np.random.default_rng(seed)
    corner, size = draw.integers(0, 12, (count, 2)), draw.integers(1, 9, (count, 2))
    boxes = np.concatenate([corner, corner + size], 1).astype(np.float32)
    return torch.from_numpy(boxes), torch.from_numpy(draw.integers(0, 6, count).astype(np.float32) / 6)


@given(seed=st.integers(0, 10_000), count=st.integers(0, 25), threshold=st.sampled_from([0.0, 0.2, 0.45, 0.7, 1.0]))
@settings(deadline=None, max_examples=80)
def test_keeps_what_the_greedy_loop_keeps(seed: int, count: int, threshold: float) -> None:
    boxes, scores = crowd(seed, count)
    assert nms(boxes, scores, threshold).tolist() == greedy(boxes, scores, threshold)


def test_a_chain_is_settled_link_by_link() -> None:
    """Each box hides only the next one, so every other one stays; needs as many rounds as links."""
    left = torch.arange(30.0) * 4
    boxes = torch.stack([left, torch.zeros(30), left + 10, torch.ones(30)], dim=1)
    scores = torch.linspace(0.9, 0.1, 30)
    assert nms(boxes, scores, 0.3).tolist() == list(range(0, 30, 2))


def test_iou_of_known_boxes() -> None:
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    b = torch.tensor([[0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 3.0, 3.0], [2.0, 0.0, 4.0, 2.0], [5.0, 5.0, 6.0, 6.0]])
    torch.testing.assert_close(box_iou(a, b), torch.tensor([[1.0, 1 / 7, 0.0, 0.0]]))


def test_equal_scores_keep_their_order() -> None:
    boxes = torch.tensor([[0.0, 0.0, 1.0, 1.0], [5.0, 5.0, 6.0, 6.0], [0.0, 0.0, 1.0, 1.1]])
    assert nms(boxes, torch.tensor([0.5, 0.5, 0.5]), 0.5).tolist() == [0, 1]


def select(selection: BoxSelection, scores: list[float], boxes: torch.Tensor, levels: list[int]) -> list[float]:
    out = selection(torch.tensor([scores]), boxes[None], levels)
    assert out["boxes"].shape == (1, selection.max_detections, 4)
    rest = slice(int(out["counts"]), None)
    assert not out["boxes"][0, rest].any()
    assert not out["scores"][0, rest].any()
    return [round(score, 3) for score in out["scores"][0, : rest.start].tolist()]


def apart(count: int) -> torch.Tensor:
    left = torch.arange(float(count)) * 10
    return torch.stack([left, left, left + 5, left + 5], dim=1)


def test_the_threshold_is_exclusive_and_boxes_without_area_go() -> None:
    boxes = apart(4)
    boxes[3, 2] = boxes[3, 0]
    assert select(BoxSelection(0.25, 0.45, 9), [0.25, 0.5, 0.26, 0.9], boxes, [4]) == [0.5, 0.26]


def test_each_level_sends_its_strongest() -> None:
    selection = BoxSelection(0.0, 0.45, 9, level_candidates=2)
    scores = [0.1, 0.3, 0.2, 0.9, 0.7, 0.8, 0.05]
    assert select(selection, scores, apart(7), [3, 3, 1]) == [0.9, 0.8, 0.3, 0.2, 0.05]


def test_a_box_without_area_still_takes_a_candidates_place() -> None:
    """As in mmdet, which takes the strongest before it looks at areas."""
    boxes = apart(3)
    boxes[0, 3] = boxes[0, 1]
    assert select(BoxSelection(0.0, 0.45, 9, level_candidates=2), [0.9, 0.8, 0.7], boxes, [3]) == [0.8]


def test_the_best_are_answered_when_there_are_too_many() -> None:
    assert select(BoxSelection(0.0, 0.45, 2), [0.1, 0.9, 0.5, 0.7], apart(4), [4]) == [0.9, 0.7]


@pytest.mark.parametrize("score", [0.1, float("nan")])
def test_nothing_found_is_empty(score: float) -> None:
    assert select(BoxSelection(0.2, 0.45, 3), [score, score], apart(2), [2]) == []


def test_images_of_a_batch_do_not_touch_each_other() -> None:
    draw = torch.Generator().manual_seed(0)
    scores = torch.rand(5, 60, generator=draw)
    corner = torch.rand(5, 60, 2, generator=draw) * 50
    boxes = torch.cat([corner, corner + 10], dim=-1)
    selection = BoxSelection(0.5, 0.3, 20)
    together = selection(scores, boxes, [40, 20])
    for index in range(5):
        alone = selection(scores[index : index + 1], boxes[index : index + 1], [40, 20])
        for name, value in together.items():
            torch.testing.assert_close(value[index : index + 1], alone[name], rtol=0, atol=0)
