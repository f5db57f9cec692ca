"""The forms that are timed against each other are one network."""

from __future__ import annotations

import torch

from benchmarks.vgg_video_naive import Naive, Published, paper, rounds


def test_all_forms_paint_the_same_picture() -> None:
    generator = torch.Generator().manual_seed(0)
    frame, style = torch.rand(1, 3, 48, 64, generator=generator), torch.rand(1, 3, 72, 40, generator=generator)
    with torch.no_grad():
        pictures = [net(frame, net.encode_style(style)) for net in map(paper, (None, Naive, Published))]
    scale = float(pictures[0].std())
    assert scale > 0
    for other in pictures[1:]:
        assert float((other - pictures[0]).abs().max()) < 1e-4 * scale


def test_rounds_turn_round_and_time_each_call_once_a_round() -> None:
    order: list[str] = []
    taken = rounds({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 3, "wall")
    assert "".join(order) == "ab" + "ba" + "ab"
    assert {name: len(seconds) for name, seconds in taken.items()} == {"a": 3, "b": 3}
