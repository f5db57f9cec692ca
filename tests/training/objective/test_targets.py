"""What the losses compare with: the same whether it was kept or not, and computed once for a fixed crop."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from vidstyle.core.errors import UsageError
from vidstyle.models.vgg import VGG
from vidstyle.training.data.images import Name
from vidstyle.training.data.rng import Purpose
from vidstyle.training.objective.targets import References
from vidstyle.training.recipe import Stage
from vidstyle.training.recipe_file import checked

STAGE = Stage(
    kind="style", steps=1, style_layers=(1.0, 1.0, 1.0), local_layers=(3,), similarity_layers=(2, 3),
    local_attention="uniform", variants=1,
)  # fmt: skip


def named(*pictures: int) -> tuple[Name | None, ...]:
    """Two contents and two styles; a negative number has no name."""
    kinds = (Purpose.CONTENT, Purpose.CONTENT, Purpose.STYLE, Purpose.STYLE)
    return tuple(None if p < 0 else Name(kind, p, 0) for kind, p in zip(kinds, pictures, strict=True))


def test_kept_features_are_the_computed_ones(vgg: VGG, monkeypatch: pytest.MonkeyPatch) -> None:
    content, style = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    references = References(vgg, STAGE)
    plain = references(content, style, ())
    assert set(plain.content) == {2, 3}
    passed: list[int] = []
    forward = vgg.forward

    def counted(x: Tensor, upto: int | None = None) -> list[Tensor]:
        passed.append(len(x))
        return forward(x, upto)

    monkeypatch.setattr(vgg, "forward", counted)
    for names, new in ((named(0, 1, 5, 6), 4), (named(0, 1, 5, 6), 0), (named(0, -1, 5, 6), 1)):
        found = references(content, style, names)
        assert sum(passed) == new
        passed.clear()
        for x, features in plain.content.items():
            torch.testing.assert_close(found.content[x], features, rtol=1e-4, atol=1e-5)
        assert len(found.moments) == len(plain.moments) == 3
        for a, b in zip(found.moments, plain.moments, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-5)


def test_kept_pictures_may_come_in_another_order(vgg: VGG) -> None:
    content, style = torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64)
    references = References(vgg, STAGE)
    first = references(content, style, named(0, 1, 2, 3))
    turned = references(content.flip(0), style.flip(0), named(1, 0, 3, 2))
    assert torch.equal(turned.content[3], first.content[3].flip(0))
    assert torch.equal(turned.moments[1][0], first.moments[1][0].flip(0))


def test_attention_that_needs_the_styles_points_gets_them_and_is_not_kept(vgg: VGG) -> None:
    stage = replace(STAGE, local_attention="cosine", variants=0)
    found = References(vgg, stage)(torch.rand(2, 3, 64, 64), torch.rand(2, 3, 64, 64), ())
    assert set(found.style) == set(found.content) == {1, 2, 3}
    with pytest.raises(UsageError, match="uniform"):
        checked(Stage, {"kind": "style", "steps": 1, "variants": 2})
