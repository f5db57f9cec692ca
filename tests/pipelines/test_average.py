"""The point between two models."""

import runpy
from pathlib import Path

import pytest
import torch

AVERAGE = runpy.run_path(str(Path(__file__).parents[2] / "pipelines/average.py"))["average"]


def test_it_lies_on_the_line_between_both() -> None:
    before = {"a": torch.tensor([0.0, 2.0]), "b": torch.tensor([1.0], dtype=torch.float16)}
    after = {"a": torch.tensor([4.0, 2.0]), "b": torch.tensor([2.0], dtype=torch.float16)}
    mixed = AVERAGE(before, after, 0.25)
    assert mixed["a"].tolist() == [1.0, 2.0]
    assert mixed["b"].dtype == torch.float16
    assert mixed["b"].tolist() == [1.25]


def test_models_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="different shapes"):
        AVERAGE({"a": torch.zeros(2)}, {"a": torch.zeros(3)}, 0.5)
