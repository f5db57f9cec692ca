"""`auto` is the first usable row of a table; a wish that cannot be met says why."""

from pathlib import Path

import pytest
import torch

from vidstyle.core.errors import UsageError
from vidstyle.engines import choose as chooser
from vidstyle.engines.choose import Choice, choose, explain, make_engine


def table(monkeypatch: pytest.MonkeyPatch, usable: set[tuple[str, str]]) -> None:
    def examine(engine: str, device: str, model: object = None) -> Choice:
        ok = (engine, device) in usable
        return Choice(engine, device, ok, "fp32" if ok else None, "why")

    monkeypatch.setattr(chooser, "examine", examine)


@pytest.mark.parametrize(
    ("usable", "expected"),
    [
        ({("torch", "cuda"), ("torch", "mps"), ("openvino", "cpu"), ("torch", "cpu")}, ("torch", "cuda")),
        ({("torch", "mps"), ("openvino", "cpu"), ("torch", "cpu")}, ("torch", "mps")),
        ({("openvino", "cpu"), ("torch", "cpu")}, ("openvino", "cpu")),
        ({("torch", "cpu")}, ("torch", "cpu")),
    ],
)
def test_order(monkeypatch: pytest.MonkeyPatch, usable: set[tuple[str, str]], expected: tuple[str, str]) -> None:
    table(monkeypatch, usable)
    choice = choose()
    assert (choice.engine, choice.device) == expected


def test_wishes_narrow_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    table(monkeypatch, {("torch", "cuda"), ("torch", "cuda:1"), ("openvino", "cpu"), ("torch", "cpu")})
    assert choose(engine="torch", device="cpu").device == "cpu"
    assert choose(device="cpu").engine == "openvino"
    assert choose(device="cuda:1").device == "cuda:1"
    with pytest.raises(UsageError, match="no engine runs on such a device"):
        choose(engine="openvino", device="cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_missing_device_says_why() -> None:
    with pytest.raises(UsageError, match=r"--device cuda cannot be had \(torch on cuda: .*CUDA.*vidstyle info"):
        choose(device="cuda")


def test_unknown_words() -> None:
    with pytest.raises(UsageError):
        choose(engine="onnx")
    with pytest.raises(UsageError):
        choose(device="tpu")
    with pytest.raises(UsageError, match="unknown precision 'int4'"):
        make_engine("compact", engine="torch", device="cpu", precision="int4")


def test_explain_covers_the_table() -> None:
    rows = explain()
    assert [(r.engine, r.device) for r in rows] == chooser.PREFERENCE
    assert all(r.why for r in rows)
    assert rows[chooser.PREFERENCE.index(("torch", "cpu"))].usable


def test_make_engine(tiny_model: Path) -> None:
    engine = make_engine(tiny_model, engine="torch", device="cpu", precision="fp32", threads=1)
    assert (engine.name, engine.device, engine.precision, engine.threads) == ("torch", "cpu", "fp32", 1)
