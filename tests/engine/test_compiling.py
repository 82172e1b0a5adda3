"""Compiled backbones."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from handkit.engine import build_runner
from handkit.engine.compiling import compile_backbone
from handkit.errors import ConfigError


class Net(nn.Module):
    """A backbone of one convolution with its norm."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())

    def forward(self, img: Tensor) -> Tensor:
        """(N, 3, H, W) -> (N, 4, H - 2, W - 2)."""
        maps: Tensor = self.backbone(img)
        return maps


def pair() -> tuple[Net, Net]:
    plain, compiled = Net(), Net()
    compiled.load_state_dict(plain.state_dict())
    compile_backbone(compiled)
    return plain, compiled


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
def test_a_compiled_backbone_learns_as_the_plain_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    plain, compiled = pair()
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    images = torch.randn(2, 3, 8, 8)
    for net in (plain, compiled):
        net.train()(images).square().mean().backward()
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        assert_close(other.grad, one.grad)
    assert_close(compiled.state_dict(), plain.state_dict())  # the norm's statistics too
    assert list(tmp_path.rglob("*.so"))  # something was compiled


def test_only_training_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def instead(plain: Callable[[Tensor], Tensor], **options: Any) -> Callable[[Tensor], Tensor]:
        return lambda img: -plain(img)

    monkeypatch.setattr(torch, "compile", instead)
    plain, compiled = pair()
    images = torch.randn(2, 3, 8, 8)
    assert_close(compiled.train()(images), -plain.train()(images))
    assert_close(compiled.eval()(images), plain.eval()(images))


def test_a_cpu_without_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ConfigError, match=r"compile: .* C\+\+ compiler"):
        compile_backbone(Net())


def test_a_compiler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(ConfigError, match="CXX"):
        compile_backbone(Net())


def test_a_model_without_a_backbone(tiny: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="compile: TinyNet has no backbone"):
        build_runner(tiny.config(compile=True), tmp_path / "run")
    assert not (tmp_path / "run").exists()
