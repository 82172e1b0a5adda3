"""Which anchor answers for which hand, and the deltas that follow."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from handkit.errors import ConfigError
from handkit.models.detectors import MaxIoUAssigner
from handkit.models.detectors.anchors import decode_deltas, encode_deltas
from handkit.models.detectors.nms import box_iou

#: Four squares of 10 pixels in a row, and one of 20 that covers the first two's corner.
ANCHORS = torch.tensor([[0.0, 0, 10, 10], [10, 0, 20, 10], [20, 0, 30, 10], [30, 0, 40, 10], [0, 0, 20, 20]])
STDS = (0.1, 0.1, 0.2, 0.2)


def assign(boxes: list[list[float]], **arguments: float) -> list[int]:
    labels = torch.tensor([boxes], dtype=torch.float32)
    made: list[int] = MaxIoUAssigner(**arguments)(ANCHORS, labels, torch.tensor([len(boxes)]))[0].tolist()
    return made


def test_anchors_take_the_box_they_overlap_most() -> None:
    assert assign([[0, 0, 10, 9], [20, 0, 30, 9]]) == [0, -1, 1, -1, -1]
    assert assign([[2, 0, 18, 18], [5, 0, 20, 20]]) == [-1, -1, -1, -1, 1]
    assert assign([[0, 0, 20, 12], [0, 0, 10, 9]]) == [1, -1, -1, -1, 0]


def test_a_box_that_no_anchor_overlaps_half_gets_its_best_one() -> None:
    assert assign([[11, 1, 14, 4]]) == [-1, 0, -1, -1, -1]
    assert assign([[11, 1, 14, 4]], min_pos_iou=0.2) == [-1] * 5


def test_of_two_boxes_with_the_same_best_anchor_the_last_one_gets_it() -> None:
    assert assign([[0, 0, 10, 10], [1, 1, 6, 6]]) == [1, -1, -1, -1, -1]
    assert assign([[1, 1, 6, 6], [0, 0, 10, 10]]) == [1, -1, -1, -1, -1]


def test_between_the_thresholds_an_anchor_is_left_out() -> None:
    assert assign([[0, 0, 10, 10], [3, 0, 10, 10]], pos_iou=0.8, neg_iou=0.2) == [1, -1, -1, -1, -2]
    assert assign([[0, 0, 20, 14]], pos_iou=0.8, neg_iou=0.3) == [-2, -2, -1, -1, 0]


def test_rows_that_fill_up_and_boxes_without_area_are_no_hands() -> None:
    boxes = torch.tensor([[[20.0, 0, 30, 9], [0, 0, 10, 10]], [[5, 5, 5, 9], [float("nan")] * 4]])
    assert MaxIoUAssigner()(ANCHORS, boxes, torch.tensor([1, 2])).tolist() == [[-1, -1, 0, -1, -1], [-1] * 5]
    assert MaxIoUAssigner()(ANCHORS, torch.zeros(2, 0, 4), torch.tensor([0, 0])).tolist() == [[-1] * 5] * 2


@settings(deadline=None, max_examples=60)
@given(hnp.arrays("float32", (3, 4, 4), elements=st.floats(0, 40, width=32)), st.lists(st.integers(0, 4), min_size=3))
def test_every_image_is_assigned_as_it_would_be_alone(corners: object, counts: list[int]) -> None:
    raw = torch.as_tensor(corners)
    boxes = torch.cat([torch.minimum(raw[..., :2], raw[..., 2:]), torch.maximum(raw[..., :2], raw[..., 2:])], -1)
    number = torch.tensor(counts[:3])
    together = MaxIoUAssigner()(ANCHORS, boxes, number)
    for index, count in enumerate(counts[:3]):
        alone = MaxIoUAssigner()(ANCHORS, boxes[index : index + 1, :count], torch.tensor([count]))
        assert together[index].tolist() == alone[0].tolist()
        overlaps = box_iou(boxes[index, :count], ANCHORS).nan_to_num()
        for anchor, row in enumerate(together[index].tolist()):
            if row >= 0:
                assert overlaps[row, anchor] >= min(0.5, overlaps[row].max().item())
            else:
                assert not (overlaps[:, anchor] >= 0.5).any()


@settings(deadline=None)
@given(hnp.arrays("float32", (3, 5, 2, 2), elements=st.floats(1, 60, width=32)))
def test_decoding_undoes_encoding(values: object) -> None:
    raw = torch.as_tensor(values)
    boxes = torch.cat([raw[..., 0, :] - 30, raw[..., 0, :] - 30 + raw[..., 1, :]], dim=-1)
    deltas = encode_deltas(ANCHORS, boxes, STDS)
    torch.testing.assert_close(decode_deltas(ANCHORS, deltas, STDS), boxes, rtol=1e-4, atol=1e-3)
    assert not encode_deltas(ANCHORS, ANCHORS, STDS).any()


@pytest.mark.parametrize("wrong", [{"neg_iou": 0.6}, {"pos_iou": 1.5}, {"min_pos_iou": -1.0}, {"neg_iou": 0.0}])
def test_thresholds_without_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="neg_iou <= pos_iou"):
        MaxIoUAssigner(**wrong)


def test_background_inside_an_ignored_box_is_left_out() -> None:
    """The first three anchors lie in the ignored boxes by 1, .4 and .5 of their area; a hand keeps its anchor there."""
    boxes, counts = torch.tensor([[[20.0, 0, 30, 10]]]), torch.tensor([1])
    ignored = torch.tensor([[[0.0, 0, 14, 10], [25, 0, 35, 10], [0, 0, 99, 99]]])
    number = torch.tensor([2])
    assert MaxIoUAssigner()(ANCHORS, boxes, counts, ignored, number).tolist() == [[-2, -1, 0, -2, -1]]
    assert MaxIoUAssigner(ignore_share=0.3)(ANCHORS, boxes, counts, ignored, number).tolist() == [[-2, -2, 0, -2, -2]]
    assert MaxIoUAssigner()(ANCHORS, boxes, counts, ignored).tolist() == [[-2, -2, 0, -2, -2]]
    none = MaxIoUAssigner()(ANCHORS, boxes, counts, torch.zeros(1, 0, 4), torch.tensor([0]))
    assert none.tolist() == MaxIoUAssigner()(ANCHORS, boxes, counts).tolist() == [[-1, -1, 0, -1, -1]]
    with pytest.raises(ConfigError, match=r"ignore_share must lie in \(0, 1\], not 0"):
        MaxIoUAssigner(ignore_share=0)
