"""The paper's own networks on a frozen VGG (Liu et al., ICCV 2021): `vgg-video` and `vgg-image`.

They are the reference for what `compact` is measured against, and load the weights that the authors released (`upstream.py`).
In both, keys of a layer are the features of it and of all shallower layers, each resized to its size (nearest neighbour) and
normalised by its own mean and variance; variances are over N - 1 positions, padding reflects, up-sampling repeats pixels:
as in the authors' code, so that its weights give its numbers.

`vgg-video` attends once, at relu3_1, with cosine weights: its code is one matrix. `vgg-image` attends at relu3_1, relu4_1 and
relu5_1 with softmax weights: its code is the style's points, tens of megabytes, and its time grows with their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.core.errors import UsageError
from vidstyle.models.attention import STD_EPS, AdaAttN, mean_variance_norm
from vidstyle.models.mixing.strength import at_strength
from vidstyle.models.style_code import ScaleCode, StyleCode
from vidstyle.models.vgg import LAYOUTS, VGG, WIDTHS

_SEED = 6666
"""Of the choice of style points, which is thus the same at every call; upstream's value, hence upstream's points."""


@dataclass(frozen=True)
class VGGStyleConfig:
    """What the weights of a VGGVideo or VGGImage presuppose."""

    layout: str = "vgg19"
    """Of the encoder: "vgg19" (the paper) or "vgg16"; the widths are the same."""
    std_eps: float = STD_EPS
    """Added to attention's variances before the root: 0 for upstream's weights; training needs some."""
    max_points: int = 4096
    """Softmax attention looks at so many points of a style at most, drawn with a fixed seed (`vgg-image` only)."""

    def __post_init__(self) -> None:
        if self.layout not in LAYOUTS:
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, not {self.layout!r}")
        if self.max_points < 1 or self.std_eps < 0:
            raise ValueError("max_points must be at least 1 and std_eps at least 0")

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> VGGStyleConfig:
        return cls(**values)


def conv(i: int, o: int) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, padding=1, padding_mode="reflect")


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def fit(x: Tensor, stride: int, least: int) -> Tensor:
    """Reflect on the right and below, so that both sides are multiples of `stride` and at least `least` (where reflection
    would need more pixels than there are, the border repeats). Upstream resizes to such sizes before."""
    h, w = x.shape[2:]
    below, right = max(least, h + -h % stride) - h, max(least, w + -w % stride) - w
    if below or right:
        x = F.pad(x, (0, right, 0, below), mode="reflect" if below < h and right < w else "replicate")
    return x.contiguous(memory_format=torch.channels_last)


def stacked_keys(features: Sequence[Tensor], x: int) -> Tensor:
    """Keys of layer x, which counts from 1: (B, sum of WIDTHS[:x], H_x, W_x) float32 or wider."""
    size = features[x - 1].shape[2:]
    return torch.cat([mean_variance_norm(F.interpolate(f, size), correction=1) for f in features[:x]], 1)


def load_encoder(encoder: VGG, vgg: VGG) -> None:
    """Give a model's encoder the weights of a loaded VGG. Raises UsageError where the layouts differ."""
    if vgg.layout != encoder.layout:
        raise UsageError(
            f"this model's encoder is {encoder.layout}, the VGG weights are {vgg.layout}; give other weights to --vgg or "
            f'set config = {{ layout = "{vgg.layout}" }} in the recipe.'
        )
    given = vgg.state_dict()
    encoder.load_state_dict({k: given[k] for k in encoder.state_dict()})


class Decoder(nn.Module):
    """relu3_1's size to pictures: 3x3 convolutions, each but the last followed by ReLU, doubling after the 4th and the 6th.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = (channels, 256, 256, 256, 128, 128, 64, 64, 3)
        self.convs = nn.ModuleList(conv(i, o) for i, o in pairwise(widths))

    def forward(self, x: Tensor) -> Tensor:
        last = len(self.convs) - 1
        for n, layer in enumerate(self.convs):
            x = layer(x)
            if n < last:
                x = F.relu(x)
            if n in (3, 5):
                x = double(x)
        return x


class VGGVideo(nn.Module):
    """The paper's video network. See the module's docstring."""

    architecture = "vgg-video"
    stride, least = 4, 8

    def __init__(self, config: VGGStyleConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VGGStyleConfig()
        self.encoder = VGG(config.layout, depth=3)
        self.attend = AdaAttN(WIDTHS[2], sum(WIDTHS[:3]), std_eps=config.std_eps, correction=1)
        # One feature space for both: a picture that is its own style then finds itself, which strength relies on.
        self.attend.g.load_state_dict(self.attend.f.state_dict())
        identity(self.attend.h)
        self.decoder = Decoder(WIDTHS[2])

    def encode_style(self, image: Tensor) -> StyleCode:
        """The code of a style picture: one CosineCode (K = 448, C = 256), 0.9 MB whatever the picture's size.

        Args:
            image: (B, 3, H, W) float in [0, 1].
        """
        features = self.encoder(fit(image, 1, self.least))
        return self._code(features, stacked_keys(features, 3))

    def forward(
        self, frames: Tensor, code: StyleCode, strength: float | Tensor | None = None, *, beyond: bool = False
    ) -> Tensor:
        """Frames in the style of a code.

        Args:
            frames: (B, 3, H, W) float in [0, 1].
            code: batch B or 1.
            strength: a in [0, 1], a number or (B,): a * code + (1 - a) * the code of the frame itself. None is 1.
            beyond: the strength is in [1, 2], past the style (`models.mixing.extrapolation`).

        Returns:
            (B, 3, H, W) float, not clamped.
        """
        h, w = frames.shape[2:]
        features = self.encoder(fit(frames, self.stride, self.least))
        keys = stacked_keys(features, 3)
        if strength is not None:
            code = at_strength(code, self._code(features, keys), strength, beyond=beyond)
        return cast(Tensor, self.decoder(self.attend(features[2], keys, code.scales[0]))[:, :, :h, :w])

    def load_encoder(self, vgg: VGG) -> None:
        load_encoder(self.encoder, vgg)

    def _code(self, features: Sequence[Tensor], keys: Tensor) -> StyleCode:
        return StyleCode((self.attend.encode(features[2], keys),))


class VGGImage(nn.Module):
    """The paper's image network. See the module's docstring."""

    architecture = "vgg-image"
    stride, least = 16, 32
    layers = (3, 4, 5)
    """x of relu x_1 where it attends, in the order of the code's scales."""

    def __init__(self, config: VGGStyleConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or VGGStyleConfig()
        self.encoder = VGG(config.layout)
        self.attend = nn.ModuleList(
            AdaAttN(WIDTHS[x - 1], sum(WIDTHS[:x]), attention="softmax", std_eps=config.std_eps, correction=1)
            for x in self.layers
        )
        for layer in self.attend:
            identity(cast(AdaAttN, layer).h)
        self.merge = conv(512, 512)
        self.narrow = conv(512, 256)
        self.decoder = Decoder(512)

    def encode_style(self, image: Tensor) -> StyleCode:
        """The code of a style picture: a SoftmaxCode for each of relu3_1, relu4_1, relu5_1, of at most `max_points` points.

        Args:
            image: (B, 3, H, W) float in [0, 1].
        """
        features = self.encoder(fit(image, 1, self.least))
        return self._code(features, [stacked_keys(features, x) for x in self.layers])

    def forward(
        self, frames: Tensor, code: StyleCode, strength: float | Tensor | None = None, *, beyond: bool = False
    ) -> Tensor:
        """As `VGGVideo.forward`."""
        h, w = frames.shape[2:]
        features = self.encoder(fit(frames, self.stride, self.least))
        keys = [stacked_keys(features, x) for x in self.layers]
        if strength is not None:
            code = at_strength(code, self._code(features, keys), strength, beyond=beyond)
        a3, a4, a5 = (
            layer(features[x - 1], k, scale)
            for layer, x, k, scale in zip(self.attend, self.layers, keys, code.scales, strict=True)
        )
        y = double(F.relu(self.narrow(self.merge(a4 + double(a5)))))
        return cast(Tensor, self.decoder(torch.cat([y, a3.to(y.dtype)], 1))[:, :, :h, :w])

    def load_encoder(self, vgg: VGG) -> None:
        load_encoder(self.encoder, vgg)

    def _code(self, features: Sequence[Tensor], keys: Sequence[Tensor]) -> StyleCode:
        parts = zip(self.attend, self.layers, keys, strict=True)
        return StyleCode(tuple(self._points(cast(AdaAttN, layer), features[x - 1], k) for layer, x, k in parts))

    def _points(self, layer: AdaAttN, values: Tensor, keys: Tensor) -> ScaleCode:
        n = values.shape[2] * values.shape[3]
        if n > self.config.max_points:
            chosen = torch.randperm(n, generator=torch.Generator().manual_seed(_SEED))[: self.config.max_points]
            values, keys = (t.flatten(2)[:, :, chosen.to(t.device), None] for t in (values, keys))
        return layer.encode(values, keys)


def identity(layer: nn.Module) -> None:
    """A 1x1 convolution that begins as the identity: values are VGG features."""
    nn.init.dirac_(cast(Tensor, layer.weight))
    nn.init.zeros_(cast(Tensor, layer.bias))
