"""mmpose's, mmdet's and mmcv's parts in handkit's configs, and handkit's in mmpose's, beside the real packages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from handkit.models.detectors.nms import box_iou

HERE = Path(__file__).resolve().parent
FILES = HERE.parent / "datasets" / "files"
CODECS = ("GaussianHeatmap", "UDPHeatmap", "SimCC", "Regression")


@pytest.fixture(scope="module")
def found(openmmlab_python: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What `openmmlab_user.py` found."""
    folder = tmp_path_factory.mktemp("openmmlab")
    openmmlab_python.run(HERE / "programs" / "openmmlab_user.py", folder, cwd=folder)
    answer: dict[str, Any] = json.loads((folder / "found.json").read_text())
    return answer


def test_stand_ins_are_told_and_leave_no_trace(found: dict[str, Any]) -> None:
    shims = found["shims"]
    assert len(shims["warned"]) == 1
    assert "without its compiled ops" in shims["warned"][0]
    assert shims["torchvision"] == []
    assert "'deform_conv_forward' is absent" in shims["absent"]
    assert shims["regions"] == pytest.approx([21.5, 23.5, 37.5, 39.5])


def test_nms_drops_what_overlaps_a_better_box(found: dict[str, Any]) -> None:
    boxes, scores, kept = (torch.tensor(value) for value in found["shims"]["nms"])
    overlaps = box_iou(boxes, boxes[kept]) > 0.5
    better = scores[:, None] < scores[kept]
    dropped = (overlaps & better).any(1)
    assert dropped.sum() > 3
    assert sorted(kept.tolist()) == (~dropped).nonzero()[:, 0].tolist()
    assert scores[kept].tolist() == sorted(scores[kept].tolist(), reverse=True)


def test_an_mmdet_detector_finds_what_it_finds_there(found: dict[str, Any]) -> None:
    answer = found["detector"]
    assert answer["count"] == answer["theirs"] > 3
    assert answer["boxes"] < 5e-3 < answer["spread"]
    assert answer["scores"] < 1e-5


def test_detectors_without_a_loss_and_of_two_stages_run(found: dict[str, Any]) -> None:
    assert "mmdet.FasterRCNN finds 80 classes" in found["other_detectors"]["classes"]
    for answer in (found["other_detectors"][name] for name in ("SingleStageDetector", "FasterRCNN")):
        assert answer == {"boxes": [2, 5, 4], "scores": [2, 5], "counts": [2], "finite": True}


@pytest.mark.parametrize(("head", "outputs"), [("HeatmapHead", ["heatmaps"]), ("RTMCCHead", ["simcc_x", "simcc_y"])])
def test_backbones_and_heads_give_what_mmposes_estimator_gives(
    found: dict[str, Any], head: str, outputs: list[str]
) -> None:
    answer = found["estimator"][head]
    assert answer["outputs"] == outputs
    assert answer["difference"] < 1e-5
    if head == "RTMCCHead":
        assert answer["sum"] == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", CODECS)
def test_our_codecs_answer_as_mmposes(found: dict[str, Any], name: str) -> None:
    answer = found["codecs"][name]
    assert answer["tables"]
    assert answer["shapes"]
    assert answer["targets"] < 1e-5
    assert answer["joints"] < 2e-3
    assert answer["batch"] < 1e-3
    assert answer["score"] > 0.5


def test_our_metrics_give_mmposes_numbers_and_their_own(found: dict[str, Any]) -> None:
    numbers = found["metrics"]
    for theirs, ours in (("PCK", "handkit/PCK@0.2"), ("AUC", "handkit/AUC"), ("EPE", "handkit/EPE")):
        assert numbers[ours] == pytest.approx(numbers[theirs], abs=1e-5)
    assert numbers["handkit/NME"] == pytest.approx(numbers["EPE"] / 100, abs=1e-5)
    assert numbers["handkit/AUC_closed"] >= numbers["AUC"]


def test_steps_of_either_side_change_pictures_alone(found: dict[str, Any]) -> None:
    answer = found["transforms"]
    assert answer.pop("backbone") == "handkit.models.backbones.resnet"
    assert all(answer.values()), answer


def test_the_page_names_what_mmpose_can_use(found: dict[str, Any]) -> None:
    page = (HERE.parents[1] / "docs" / "openmmlab.md").read_text("utf-8").splitlines()
    rows = {row.split("|")[1].strip(): re.findall(r"`(\w+)`", row.split("|")[2]) for row in page if row.startswith("|")}
    assert len(found["names"]) == 3
    for kind, names in found["names"].items():
        assert rows[kind] == names


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("typo", "config: mmpose has no 'ResNt'; did you mean 'ResNet'?"),
        ("argument", "takes no argument 'dept'"),
        ("value", "mmpose.ResNet cannot be built: KeyError"),
        ("path", "config.norm_cfg: type='os.system' is not registered"),
        ("validate", "model.norm_cfg: type='os.system' is not registered"),
        ("pretrained", "config.init_cfg: 'Pretrained' fetches weights unasked"),
        ("codec", "mmpose.MSRAHeatmap is registered in mmpose.registry.KEYPOINT_CODECS"),
        ("head", "mmpose.CPMHead's outputs have no codec in handkit"),
        ("loss", "mmpose.KeypointMSELoss has no place in handkit"),
        ("detector", "a detector of mmdet is the net of handkit's OneHandDetector"),
        ("flip", "mmcv.RandomFlip moves pixels (flip)"),
        ("affine", "mmpose.TopdownAffine needs"),
        ("bundle", "b: mmpose.ResNet is not handkit's"),
        ("ours", "type='handkit.TopDownAffine': of handkit's, mmpose's registry 'transform' takes RandomPhotometric"),
    ],
)
def test_what_does_not_fit_is_refused(found: dict[str, Any], name: str, message: str) -> None:
    assert message in found["refusals"][name]


CONFIG = f"""
custom_imports = dict(imports=['handkit.interop.openmmlab'])
task = 'hand_2d_keypoints'
codec = dict(type='GaussianHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
model = dict(
    type='TopDownEstimator',
    backbone=dict(type='mmpose.MobileNetV2', widen_factor=0.35),
    head=dict(type='mmpose.HeatmapHead', in_channels=1280, out_channels=21,
              deconv_out_channels=(8, 8, 8), deconv_kernel_sizes=(4, 4, 4)),
    losses=[dict(type='KeypointMSELoss')])
train_dataset = dict(type='OneHand10K', ann_file={str(FILES / "onehand10k.json")!r}, image_root={str(FILES)!r})
_tail = [dict(type='MMToTensor'), dict(type='NormalizeTensor', mean=[0.5] * 3, std=[0.2] * 3)]
train_transforms = [
    dict(type='LoadImage'), dict(type='TopDownAffine', input_size=(64, 64)), dict(type='mmdet.PhotoMetricDistortion'),
    *_tail, dict(type='TopDownGenerateTarget', codec=codec),
    dict(type='PoseCollect', keys=['img', 'heatmaps', 'target_weight'])]
optimizer = dict(type='Adam', lr=1e-3)
batch_size = 1
max_epochs = 1
workers = 0
"""


def test_handkit_trains_a_config_with_their_parts(openmmlab_python: Any, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(CONFIG)
    arguments = ("train", tmp_path / "mine.py", "--work-dir", tmp_path / "run", "--device", "cpu")
    openmmlab_python.run("-c", "from handkit.apps.cli import main; main()", *arguments, cwd=tmp_path)
    assert "custom_imports" in (tmp_path / "run" / "config.py").read_text()
    rows = map(json.loads, (tmp_path / "run" / "metrics.jsonl").read_text().splitlines())
    assert next(row["train_loss"] for row in rows if row["kind"] == "epoch") > 0


def test_mmposes_own_tools_train_and_test_with_our_parts(openmmlab_python: Any, tmp_path: Path) -> None:
    where = "import mmpose, pathlib; print(pathlib.Path(mmpose.__file__).parent / '.mim')"
    mim = Path(openmmlab_python.run("-W", "ignore", "-c", where).strip())
    labels = json.loads((FILES / "onehand10k.json").read_text())
    for row in labels["annotations"]:
        row |= {"category_id": 1, "area": 900, "num_keypoints": 21, "segmentation": []}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    (tmp_path / "theirs.py").write_text(MMPOSE.format(mim=mim, files=FILES, labels=tmp_path / "labels.json"))
    run = tmp_path / "run"
    openmmlab_python.run(mim / "tools" / "train.py", tmp_path / "theirs.py", "--work-dir", run, cwd=tmp_path)
    weights = next(run.glob("best_handkit_*.pth"))
    said = openmmlab_python.run(
        *(mim / "tools" / "test.py", tmp_path / "theirs.py", weights, "--work-dir", tmp_path / "test"), cwd=tmp_path
    )
    assert "handkit/PCK@0.2" in said + "".join(path.read_text() for path in (tmp_path / "test").rglob("*.json"))


MMPOSE = """
_base_ = ['{mim}/configs/_base_/default_runtime.py']
custom_imports = dict(imports=['handkit.interop.openmmlab'])
codec = dict(type='handkit.GaussianHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor', mean=[127.0] * 3, std=[50.0] * 3, bgr_to_rgb=True),
    backbone=dict(type='handkit.MobileNetV2', widen_factor=0.35),
    head=dict(type='HeatmapHead', in_channels=1280, out_channels=21, deconv_out_channels=(8, 8, 8),
              deconv_kernel_sizes=(4, 4, 4), loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True))
pipeline = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale'), dict(type='TopdownAffine', input_size=(64, 64))]
data = dict(type='OneHand10KDataset', data_mode='topdown', ann_file='{labels}',
            data_prefix=dict(img='{files}/'))
train_dataloader = dict(
    batch_size=1, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(**data, pipeline=[
        *pipeline, dict(type='handkit.RandomPhotometric'), dict(type='handkit.RandomOcclusion', prob=1.0),
        dict(type='GenerateTarget', encoder=codec), dict(type='PackPoseInputs')]))
val_dataloader = dict(
    batch_size=1, num_workers=0, drop_last=False, sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(**data, test_mode=True, pipeline=[*pipeline, dict(type='PackPoseInputs')]))
test_dataloader = val_dataloader
val_evaluator = [dict(type='handkit.PCK'), dict(type='handkit.EPE'), dict(type='AUC')]
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=1, val_interval=1)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
default_hooks = dict(checkpoint=dict(save_best='handkit/PCK@0.2', rule='greater'))
"""
