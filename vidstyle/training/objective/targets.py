"""What the loss network says of a batch's photos and paintings: what the losses compare a result with.

Half of the loss network's work is on pictures that come again. Where a recipe fixes their crops (`variants`), features and
moments of a crop are computed when it is first seen, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from vidstyle.losses.gram import gram
from vidstyle.losses.moments import MeanStd, layer_moments
from vidstyle.models.vgg import VGG
from vidstyle.training.data.images import Name
from vidstyle.training.recipe import Stage


@dataclass(frozen=True)
class Reference:
    """Of a batch; layers are x of relu x_1."""

    content: dict[int, Tensor]
    """Layer > features of the contents, (B, C, H, W) in the loss network's precision; those layers that are needed."""
    style: dict[int, Tensor]
    """The same of the styles; empty where moments are enough."""
    moments: list[MeanStd]
    """Of the styles' layers, from the first on."""
    grams: list[Tensor]
    """(B, C, C) of the same; empty where they are not compared."""


class References:
    """Computes them.

    Args:
        vgg: the loss network.
        stage: says which layers are needed, and whether of styles more than moments.
    """

    def __init__(self, vgg: VGG, stage: Stage) -> None:
        self.vgg, self.depth = vgg, len(stage.style_layers)
        self.with_grams = stage.weights.gram > 0
        uniform = stage.local_attention == "uniform" or not stage.weights.local
        layers = set(stage.local_layers if stage.weights.local else ()) | set(
            stage.similarity_layers if stage.weights.similarity else ()
        )
        # The keys of attention are made of all layers.
        self.of_content = sorted(layers) if uniform else list(range(1, self.depth + 1))
        self.of_style = [] if uniform else list(range(1, self.depth + 1))
        self.contents: dict[Name, dict[int, Tensor]] = {}
        self.styles: dict[Name, list[MeanStd]] = {}

    @torch.no_grad()
    def __call__(self, content: Tensor, style: Tensor, names: Sequence[Name | None]) -> Reference:
        """Args:
        content, style: (B, 3, S, S).
        names: of both, contents first; empty or None where a crop is not fixed.
        """
        pictures = torch.cat([content, style]).contiguous(memory_format=torch.channels_last)
        n = len(content)
        if not any(names):
            features = self.vgg(pictures, self.depth)
            return Reference(
                {x: features[x - 1][:n] for x in self.of_content},
                {x: features[x - 1][n:] for x in self.of_style},
                layer_moments([f[n:] for f in features]),
                [gram(f[n:]) for f in features] if self.with_grams else [],
            )
        of_contents: list[dict[int, Tensor] | None] = [self.contents.get(name) if name else None for name in names[:n]]
        of_styles: list[list[MeanStd] | None] = [self.styles.get(name) if name else None for name in names[n:]]
        new = [i for i, known in enumerate([*of_contents, *of_styles]) if known is None]
        features = self.vgg(pictures[new].contiguous(memory_format=torch.channels_last), self.depth) if new else []
        moments = layer_moments(features)
        for at, i in enumerate(new):
            name = names[i]
            if i < n:
                of_contents[i] = content_features = {x: features[x - 1][at].clone() for x in self.of_content}
                if name is not None:
                    self.contents[name] = content_features
            else:
                of_styles[i - n] = style_moments = [(mean[at].clone(), std[at].clone()) for mean, std in moments]
                if name is not None:
                    self.styles[name] = style_moments
        contents, styles = [c for c in of_contents if c is not None], [s for s in of_styles if s is not None]
        return Reference(
            {x: torch.stack([c[x] for c in contents]) for x in self.of_content},
            {},
            [
                (torch.stack([s[x][0] for s in styles]), torch.stack([s[x][1] for s in styles]))
                for x in range(self.depth)
            ],
            [],
        )
