"""The frozen teacher: a mean over positions written out, and 0 for a network that moves with its frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vidstyle.losses.sharpness import band_energies
from vidstyle.models.checkpoint import build
from vidstyle.models.compact import CompactNet
from vidstyle.training.data.rng import StepRandomness
from vidstyle.training.objective.teacher import MARGIN, averaged, frozen_copy
from vidstyle.training.recipe import FrozenTeacher

CONFIG = {"widths": [8, 8, 16], "key_widths": [8, 8], "output_width": 8}
DRAW = StepRandomness(3, 0, 5)


class OnAGrid(nn.Module):
    """Adds a pattern that stays where the window is: a network that subsamples by 4, at its simplest."""

    def __init__(self, pattern: Tensor) -> None:
        super().__init__()
        self.pattern = pattern

    def encode_style(self, style: Tensor) -> None:
        return None

    def forward(self, frames: Tensor, code: None) -> Tensor:
        again = frames.shape[2] // self.pattern.shape[0]
        return 0.5 * frames + self.pattern.repeat(again, again)


def test_the_mean_over_all_positions_has_no_grid() -> None:
    pattern, x = torch.randn(4, 4), torch.rand(2, 3, 67, 67)
    lesson = averaged(OnAGrid(pattern), x, x, FrozenTeacher(positions=16), DRAW)  # type: ignore[arg-type]
    torch.testing.assert_close(lesson.mean, lesson.cut(0.5 * x + pattern.mean()))
    assert lesson.corner == 3 + MARGIN
    single = averaged(OnAGrid(pattern), x, x, FrozenTeacher(positions=1), DRAW)  # type: ignore[arg-type]
    assert float((single.mean - lesson.mean).abs().max()) > 0.1
    # The grid is sharp where single pictures are; their mean is not what blur is measured against.
    assert bool((lesson.bands > 1.5 * band_energies(lesson.mean)).any())


def test_the_copy_has_its_own_configuration_and_stays_as_it_was() -> None:
    torch.manual_seed(0)
    net = build("compact", {**CONFIG, "last_upsampling": "bilinear"})
    copy = frozen_copy(net, FrozenTeacher(config={"last_upsampling": "nearest"}))
    assert isinstance(copy, CompactNet)
    assert copy.config.last_upsampling == "nearest"
    assert not any(p.requires_grad for p in copy.parameters())
    before = {k: v.clone() for k, v in copy.state_dict().items()}
    with torch.no_grad():
        for weights in net.parameters():
            weights.add_(1)
    assert all(torch.equal(v, before[k]) for k, v in copy.state_dict().items())


def test_equal_draws_give_equal_lessons() -> None:
    pattern, x = torch.randn(4, 4), torch.rand(1, 3, 64, 64)
    first, again, other = (
        averaged(OnAGrid(pattern), x, x, FrozenTeacher(positions=2), draw)  # type: ignore[arg-type]
        for draw in (DRAW, DRAW, StepRandomness(3, 0, 6))
    )
    assert torch.equal(first.mean, again.mean)
    assert not torch.equal(first.mean, other.mean)
