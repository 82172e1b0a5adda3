"""All hands of an image in one pass: PoseNet's discs, offsets, and displacements along the hand's bones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from handkit.codecs.arrays import encoded
from handkit.codecs.offset_heatmap import OffsetHeatmap, pose_score
from handkit.errors import ConfigError, DataError
from handkit.registry import CODECS
from handkit.skeleton import HAND

Array = NDArray[Any]


@CODECS.register_module()
class HandOffsets(OffsetHeatmap):
    """`OffsetHeatmap` for any number of hands in an image, and the way from each joint's disc to its neighbours.

    Papandreou et al., PersonLab, ECCV 2018, without its long-range offsets and Hough votes, as TensorFlow.js's PoseNet
    decodes several people. A cell of a disc belongs to the nearest hand; its displacement points to that hand's joint
    at the other end of a bone, in units of `radius`. Decoding goes through the local maxima of all maps, the best
    first: each that lies near no same joint of a hand found before begins a hand, whose other joints are reached by
    displacements from bone to bone, either way, and set right by the offsets found there. Two hands may therefore
    cross, and a hand is found by whichever of its joints is seen best. What no cell can tell is lost: of a hand whose
    wrist, the joint between its fingers, is further than `radius` outside the image, each finger is on its own, and
    scores too little.

    Args:
        input_size: see `OffsetHeatmap`.
        output_stride: likewise.
        radius: likewise; smaller than there, since whole images show small hands.
        edges: pairs of joints (parent, child) that are bones of a tree; () for those of `handkit.skeleton.HAND`.
        joint_threshold: least probability of a cell to begin a hand, and to set a joint right by its offset; hidden
            joints stay where the displacement says.
        score_threshold: least score of a hand, the mean of its joints' scores, in which joints that lie on those of a
            hand found before count as 0.
        nms_radius: pixels within which the same joint of two hands is taken for one.
        max_hands: most hands per image.

    Attributes:
        whole_images: answers any number of hands of an image; a config with such a codec needs no detector.

    Raises:
        ConfigError: see `OffsetHeatmap`; edges that are no tree, a threshold outside [0, 1], or a limit below 1.
    """

    reads: tuple[str, ...] = ("heatmaps", "offsets", "displacements")
    whole_images: bool = True
    targets: tuple[str, ...] = (
        *("heatmaps", "heatmap_mask", "offsets"),
        *("displacements", "displacement_weight", "target_weight"),
    )
    decoding: tuple[str, ...] = ("joint_threshold", "score_threshold", "nms_radius", "max_hands")

    def __init__(
        self,
        input_size: tuple[int, int] = (513, 385),
        output_stride: int = 16,
        radius: float = 16.0,
        edges: Sequence[tuple[int, int]] = (),
        joint_threshold: float = 0.5,
        score_threshold: float = 0.3,
        nms_radius: float = 20.0,
        max_hands: int = 10,
    ) -> None:
        super().__init__(input_size, output_stride, radius)
        bones = [(int(a), int(b)) for a, b in (edges or HAND.edges)]
        if sorted(_reached(bones)) != list(range(len(bones) + 1)):
            raise ConfigError(f"HandOffsets: edges must join the joints 0 to {len(bones)} to one tree, not {bones}")
        for name, value in (("joint_threshold", joint_threshold), ("score_threshold", score_threshold)):
            if not 0 <= value <= 1:
                raise ConfigError(f"HandOffsets: {name} must lie in [0, 1], got {value}")
        if not nms_radius > 0 or max_hands < 1:
            raise ConfigError(f"HandOffsets: nms_radius {nms_radius} and max_hands {max_hands} must be positive")
        #: Every bone from parent to child, then every bone from child to parent: the order of the displacements.
        self.ways = (*bones, *((child, parent) for parent, child in bones))
        self.joint_threshold = joint_threshold
        self.score_threshold = score_threshold
        self.nms_radius = float(nms_radius)
        self.max_hands = int(max_hands)

    def encode(
        self, keypoints: Any, visible: Any, boxes: Any | None = None, ignored_boxes: Any | None = None
    ) -> dict[str, Any]:
        """Targets of N images with up to M hands each, numpy or torch as the joints are.

        Args:
            keypoints: (N, M, K, 2) in input pixels; where a joint is not visible, anything.
            visible: (N, M, K), 0 where the joint is not labelled or there is no such hand.
            boxes: (N, M, 4) xyxy of those hands; one without area is no hand's. None: no joint is there unlabelled.
            ignored_boxes: (N, I, 4) likewise of what may or may not be hands; None for none.

        Returns:
            ``heatmaps`` (N, K, h, w) and ``offsets`` (N, K, 2, h, w) as `OffsetHeatmap`'s, to the nearest hand's joint;
            ``heatmap_mask`` (N, K, h, w), 0 in cells of no disc that lie within `radius` of `ignored_boxes`, or of the
            box of a hand whose joint is not labelled, else 1 (as PersonLab, 3.1);
            ``displacements`` (N, 2E, 2, h, w), along each of E bones and then back, in units of `radius`;
            ``displacement_weight`` (N, 2E, h, w), 1 in the discs of the bone's first joint where its second one is
            labelled, else 0 and the displacement 0; ``target_weight`` (N, K), all 1: a map without a joint teaches that
            there is none. float32.

        Raises:
            DataError: shapes that disagree, another number of joints than the tree's, or a visible joint that is not
                finite.
        """
        joints = len(self.ways) // 2 + 1
        if len(visible.shape) != 3 or visible.shape[2] != joints:
            raise DataError(f"HandOffsets encodes (N, M, {joints}) joints, got visible {tuple(visible.shape)}")
        rows = len(visible)
        blank: Any = keypoints.new_zeros if isinstance(keypoints, Tensor) else np.zeros
        if visible.shape[1] == 0:  # no hand in any image
            keypoints, visible, boxes = blank((rows, 1, joints, 2)), blank((rows, 1, joints)), None
        boxes = blank((*visible.shape[:2], 4)) if boxes is None else boxes
        ignored_boxes = blank((rows, 0, 4)) if ignored_boxes is None else ignored_boxes
        if boxes.shape != (*visible.shape[:2], 4) or ignored_boxes.shape != (rows, ignored_boxes.shape[1], 4):
            shapes = f"{tuple(boxes.shape)} and ignored_boxes {tuple(ignored_boxes.shape)}"
            raise DataError(f"HandOffsets: boxes {shapes} must be (N, M, 4) and (N, I, 4), like visible's N and M")
        return encoded(self._encode, keypoints, visible, boxes, ignored_boxes)

    def _encode(self, keypoints: Tensor, visible: Tensor, *boxes: Tensor) -> dict[str, Tensor]:
        single = super()._encode(keypoints, visible)
        points = torch.where(visible[..., None] > 0, keypoints, torch.nan).float()
        vectors = self.vectors(points)  # (N, M, K, 2, h, w)
        apart = vectors.square().sum(3).nan_to_num(torch.inf)
        nearest = apart.argmin(1, keepdim=True)  # (N, 1, K, h, w)
        discs = single["heatmaps"].amax(1)
        starts, ends = (list(column) for column in zip(*self.ways, strict=True))
        whose = nearest[:, :, starts, None].expand(-1, -1, -1, 2, -1, -1)
        ways = vectors[:, :, ends].gather(1, whose)[:, 0]
        known = (discs[:, starts] > 0) & ways.isfinite().all(2)
        own = vectors.gather(1, nearest[:, :, :, None].expand(-1, -1, -1, 2, -1, -1))[:, 0]
        return {
            "heatmaps": discs,
            "heatmap_mask": (~self._unlabelled(visible, *boxes) | (discs > 0)).float(),
            "offsets": torch.where(discs[:, :, None] > 0, own, 0),
            "displacements": torch.where(known[:, :, None], ways, 0),
            "displacement_weight": known.float(),
            "target_weight": torch.ones_like(discs[:, :, 0, 0]),
        }

    def _unlabelled(self, visible: Tensor, boxes: Tensor, ignored_boxes: Tensor) -> Tensor:
        """(N, K, h, w) bool: the cells that may lie in the disc of a joint that nobody labelled."""
        lacking = self._in_reach(boxes)[:, :, None] & (visible <= 0)[..., None, None]
        return lacking.any(1) | self._in_reach(ignored_boxes).any(1, keepdim=True)

    def _in_reach(self, boxes: Tensor) -> Tensor:
        """(N, B, 4) -> (N, B, h, w) bool: the cells within `radius` of a box; none of one without area."""
        low, high = boxes[..., None, None, :2], boxes[..., None, None, 2:]
        columns, rows = (torch.arange(size, device=boxes.device) * self.output_stride for size in self.heatmap_size)
        cells = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
        apart = torch.maximum(low - cells, cells - high).clamp(min=0).square().sum(-1)
        return (apart <= self.radius**2) & (high > low).all(-1)

    def decode(self, outputs: Mapping[str, Any]) -> tuple[Any, ...]:
        """The hands of N images, best first.

        Args:
            outputs: ``heatmaps`` (N, K, h, w), probabilities, ``offsets`` (N, K, 2, h, w) and ``displacements``
                (N, 2E, 2, h, w) in units of `radius`; numpy or torch.

        Returns:
            Joints (N, M, K, 2) in input pixels, which may lie outside it, their scores (N, M, K) and the hands' scores
            (N, M) in [0, 1], see `score_threshold`, M being the most hands found in one of the images; rows beyond an
            image's own hands are 0. float32, numpy or torch as the outputs were.

        Raises:
            ConfigError: maps that are not those of `input_size` and `output_stride`.
        """
        self.check_maps(outputs["heatmaps"].shape)
        maps = [outputs[name] for name in self.reads]
        plain = [value.detach().float().cpu().numpy() if isinstance(value, Tensor) else value for value in maps]
        found = [_Image(self, *rows).hands() for rows in zip(*plain, strict=True)]
        most = max(map(len, found), default=0)
        joints = np.zeros((len(found), most, plain[0].shape[1], 2), np.float32)
        scores = np.zeros(joints.shape[:3], np.float32)
        totals = np.zeros(joints.shape[:2], np.float32)
        for row, hands in enumerate(found):
            for column, hand in enumerate(hands):
                joints[row, column], scores[row, column], totals[row, column] = hand.joints, hand.scores, hand.score
        if isinstance(maps[0], Tensor):
            device = maps[0].device
            return tuple(torch.from_numpy(value).to(device) for value in (joints, scores, totals))
        return joints, scores, totals


@dataclass
class _Hand:
    """(K, 2) joints in input pixels, (K,) their scores, and the score of the hand."""

    joints: Array
    scores: Array
    score: float = 0.0


@dataclass
class _Image:
    """The maps of one image: (K, h, w), (K, 2, h, w) and (2E, 2, h, w)."""

    codec: HandOffsets
    heatmaps: Array
    offsets: Array
    displacements: Array
    _hands: list[_Hand] = field(default_factory=list)

    def hands(self) -> list[_Hand]:
        """Part-based suppression: from the best joint down, each begins a hand or belongs to one."""
        for joint, row, column in self._seeds():
            place = self._refined(joint, row, column)
            if self._taken(joint, place):
                continue
            hand = self._traced(joint, place, float(self.heatmaps[joint, row, column]))
            free = [not self._taken(k, point) for k, point in enumerate(hand.joints)]
            hand.score = float(pose_score(hand.scores * np.array(free)))
            if hand.score >= self.codec.score_threshold and hand.score > 0 and np.isfinite(hand.joints).all():
                self._hands.append(hand)
            if len(self._hands) == self.codec.max_hands:
                break
        return sorted(self._hands, key=lambda hand: -hand.score)

    def _seeds(self) -> Iterator[tuple[int, int, int]]:
        """Joint, row and column of every local maximum (of 3 x 3 cells) above the threshold, the best first."""
        maps = np.nan_to_num(self.heatmaps)
        padded = np.pad(maps, ((0, 0), (1, 1), (1, 1)))
        around = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2)).max((-1, -2))
        places = np.argwhere((maps == around) & (maps >= self.codec.joint_threshold) & (maps > 0))
        order = np.argsort(-maps[tuple(places.T)], kind="stable")
        yield from places[order].tolist()

    def _taken(self, joint: int, place: Array) -> bool:
        """Whether a hand found before has that joint there."""
        return any(np.hypot(*(hand.joints[joint] - place)) <= self.codec.nms_radius for hand in self._hands)

    def _refined(self, joint: int, row: int, column: int) -> Array:
        """(2,) where a cell says that the joint is."""
        cell = np.array([column, row], np.float32)
        place: Array = cell * self.codec.output_stride + self.offsets[joint, :, row, column] * self.codec.radius
        return place

    def _cell(self, place: Array) -> tuple[int, int]:
        """Row and column of the cell nearest to a place."""
        width, height = self.codec.heatmap_size
        column, row = np.rint(np.nan_to_num(place) / self.codec.output_stride)
        return int(np.clip(row, 0, height - 1)), int(np.clip(column, 0, width - 1))

    def _traced(self, joint: int, place: Array, score: float) -> _Hand:
        """The hand that has the joint there, followed from bone to bone."""
        hand = _Hand(np.full((len(self.heatmaps), 2), np.nan, np.float32), np.zeros(len(self.heatmaps), np.float32))
        hand.joints[joint], hand.scores[joint] = place, min(max(score, 0.0), 1.0)
        open_joints, known = [joint], {joint}
        while open_joints:
            start = open_joints.pop()
            for way, (first, end) in enumerate(self.codec.ways):
                if first == start and end not in known:
                    hand.joints[end], hand.scores[end] = self._along(way, end, hand.joints[start])
                    open_joints.append(end)
                    known.add(end)
        return hand

    def _along(self, way: int, end: int, start: Array) -> tuple[Array, float]:
        """Where the joint at the other end of a bone is, and its score."""
        row, column = self._cell(start)
        cell = np.array([column, row], np.float32)
        place = cell * self.codec.output_stride + self.displacements[way, :, row, column] * self.codec.radius
        row, column = self._cell(place)
        score = float(np.nan_to_num(self.heatmaps[end, row, column]))
        if score >= self.codec.joint_threshold:
            place = self._refined(end, row, column)
        return place, min(max(score, 0.0), 1.0)


def _reached(bones: Sequence[tuple[int, int]]) -> set[int]:
    """The joints that can be reached from joint 0; empty if there are more bones than a tree has."""
    joints = {joint for bone in bones for joint in bone}
    reached = {0}
    while more := {b for pair in bones for a, b in (pair, pair[::-1]) if a in reached} - reached:
        reached |= more
    return reached if len(joints) == len(bones) + 1 else set()
