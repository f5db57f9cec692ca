"""Files in the layout of AdaAttN's release, with random weights, and the release's arithmetic written out naively."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

Weights = dict[str, Tensor]

VGG_WIDTHS = (64, 64, "pool", 128, 128, "pool", *[256] * 4, "pool", *[512] * 4, "pool", *[512] * 4)
VGG_INDICES = (2, 5, 9, 12, 16, 19, 22, 25, 29, 32, 35, 38, 42, 45, 48, 51)
"""Of the 16 convolutions of VGG-19 in a sequence in which padding, ReLU and pooling count; 0 is a 1x1 convolution."""
TAPS = (2, 9, 16, 29, 42)
"""relu1_1 ... relu5_1."""
TAIL = ((1, 256), (4, 256), (7, 256), (10, 128), (14, 128), (17, 64), (21, 64), (24, 3))
"""Index in the decoder's sequence, and output channels."""


@dataclass(frozen=True)
class Release:
    """What the four files hold; `adaattn3` is None in the video release."""

    vgg: Weights
    transformer: Weights
    decoder: Weights
    adaattn3: Weights | None

    def write(self, folder: Path, *, zipped: bool = True) -> list[str]:
        """Save the files as torch does (or, not zipped, as torch before 1.6 did); returns the command's options."""
        options: list[str] = []
        for name in ("vgg", "transformer", "decoder", "adaattn3"):
            weights = getattr(self, name)
            if weights is not None:
                path = folder / f"{name}.pth"
                torch.save(weights, path, _use_new_zipfile_serialization=zipped)
                options += [f"--{name}", str(path)]
        return options

    def styled(self, content: Tensor, style: Tensor, limit: int = 4096) -> Tensor:
        """What the release makes of (B, 3, H, W) contents and styles, in float64; sides are multiples of 16. Softmax takes at
        most `limit` points of a style."""
        wide = {n: None if w is None else {k: v.double() for k, v in w.items()} for n, w in vars(self).items()}
        transformer, decoder = wide["transformer"], wide["decoder"]
        assert transformer
        assert decoder
        c, s = (features(wide["vgg"] or {}, x.double()) for x in (content, style))
        if wide["adaattn3"] is None:
            return tail(decoder, "decoder.", adaattn(transformer, "", c, s, 3, None))
        three = adaattn(wide["adaattn3"], "", c, s, 3, limit)
        four = adaattn(transformer, "attn_adain_4_1.", c, s, 4, limit)
        five = adaattn(transformer, "attn_adain_5_1.", c, s, 5, limit)
        y = conv(transformer, "merge_conv", four + twice(five))
        y = twice(conv(decoder, "decoder_layer_1.1", y).relu())
        return tail(decoder, "decoder_layer_2.", torch.cat([y, three], 1))


def conv(weights: Weights, name: str, x: Tensor) -> Tensor:
    kernel = weights[f"{name}.weight"]
    if kernel.shape[-1] == 3:
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
    return F.conv2d(x, kernel, weights[f"{name}.bias"])


def twice(x: Tensor) -> Tensor:
    return x.repeat_interleave(2, 2).repeat_interleave(2, 3)


def tail(weights: Weights, prefix: str, x: Tensor) -> Tensor:
    for index, _ in TAIL:
        x = conv(weights, f"{prefix}{index}", x)
        if index < 24:
            x = x.relu()
        if index in (10, 17):
            x = twice(x)
    return x


def features(weights: Weights, x: Tensor) -> list[Tensor]:
    x, taps, indices = conv(weights, "0", x), [], iter(VGG_INDICES)
    for width in VGG_WIDTHS:
        if width == "pool":
            x = F.max_pool2d(x, 2, ceil_mode=True)
            continue
        index = next(indices)
        x = conv(weights, str(index), x).relu()
        if index in TAPS:
            taps.append(x)
    return taps


def normed(x: Tensor) -> Tensor:
    return (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), correction=1, keepdim=True) + 1e-5).sqrt()


def keys(taps: list[Tensor], x: int) -> Tensor:
    size = taps[x - 1].shape[2:]
    return torch.cat([normed(F.interpolate(f, size, mode="nearest")) for f in taps[:x]], 1)


def adaattn(weights: Weights, prefix: str, c: list[Tensor], s: list[Tensor], x: int, limit: int | None) -> Tensor:
    """One AdaAttN at relu x_1 with its content x style matrix: cosine weights, or with a limit softmax ones."""
    q = conv(weights, f"{prefix}f", keys(c, x)).flatten(2)
    k = conv(weights, f"{prefix}g", keys(s, x)).flatten(2)
    v = conv(weights, f"{prefix}h", s[x - 1]).flatten(2)
    if limit and v.shape[2] > limit:
        kept = torch.randperm(v.shape[2], generator=torch.Generator().manual_seed(6666))[:limit]
        k, v = k[:, :, kept], v[:, :, kept]
    scores = torch.einsum("bkn,bkm->bnm", q, k)
    if limit is None:
        lengths = [t.square().sum(1).sqrt() + 1e-5 for t in (q, k)]
        weight = (scores / lengths[0][:, :, None] / lengths[1][:, None] + 1).relu()
        weight = weight / (weight.sum(2, keepdim=True) + 1e-5)
    else:
        weight = scores.softmax(2)
    mean = torch.einsum("bnm,bcm->bcn", weight, v)
    std = (torch.einsum("bnm,bcm->bcn", weight, v * v) - mean * mean).relu().sqrt()
    content = c[x - 1]
    return std.view_as(content) * normed(content) + mean.view_as(content)


def layer(o: int, i: int, k: int, g: torch.Generator, std: float | None = None) -> tuple[Tensor, Tensor]:
    std = math.sqrt(2 / (i * k * k)) if std is None else std
    return std * torch.randn(o, i, k, k, generator=g), 0.1 * torch.randn(o, generator=g)


def named(layers: Iterable[tuple[str, tuple[Tensor, Tensor]]]) -> Weights:
    return {f"{name}.{part}": t for name, pair in layers for part, t in zip(("weight", "bias"), pair, strict=True)}


def attention(prefix: str, channels: int, key: int, g: torch.Generator) -> Weights:
    # Scores of about 3, so that softmax neither averages everything nor picks one point.
    std = math.sqrt(3 / key**1.5)
    return named((f"{prefix}{n}", layer(w, w, 1, g, std)) for n, w in (("f", key), ("g", key))) | named(
        [(f"{prefix}h", layer(channels, channels, 1, g))]
    )


def vgg(g: torch.Generator) -> Weights:
    first = (255 * torch.eye(3).flip(0)[:, :, None, None], -torch.tensor([103.939, 116.779, 123.68]))
    widths = [w for w in VGG_WIDTHS if isinstance(w, int)]
    layers = [layer(o, i, 3, g) for i, o in zip([3, *widths], widths, strict=False)]
    layers[0] = (layers[0][0] / 64, layers[0][1])
    return named(zip(map(str, (0, *VGG_INDICES)), (first, *layers), strict=True))


def decoder_tail(prefix: str, entry: int, g: torch.Generator) -> Weights:
    inputs = [entry, *(o for _, o in TAIL)]
    return named((f"{prefix}{n}", layer(o, i, 3, g)) for (n, o), i in zip(TAIL, inputs, strict=False))


@pytest.fixture(scope="session")
def video_release() -> Release:
    g = torch.Generator().manual_seed(1)
    return Release(vgg(g), attention("", 256, 448, g), decoder_tail("decoder.", 256, g), None)


@pytest.fixture(scope="session")
def image_release() -> Release:
    g = torch.Generator().manual_seed(2)
    transformer = attention("attn_adain_4_1.", 512, 960, g) | attention("attn_adain_5_1.", 512, 1472, g)
    transformer |= named([("merge_conv", layer(512, 512, 3, g))])
    decoder = named([("decoder_layer_1.1", layer(256, 512, 3, g))]) | decoder_tail("decoder_layer_2.", 512, g)
    return Release(vgg(g), transformer, decoder, attention("", 256, 448, g))
