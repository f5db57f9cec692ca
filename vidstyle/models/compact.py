"""CompactNet: the arbitrary-style network that ships.

Three strides (2, 4, 8) down, cosine AdaAttN at 1/4 and 1/8, three strides up. Beside them the low-passed frame takes the
style's colours (models/colour.py); it is *given to* the decoder, never added to the output (adding a sharp photo teaches the
decoder to paint nothing).

The decoder paints by example: when a style picture is encoded, the decoder also paints it in its own style, and the mean and
variance of every layer on the way go into the code. A frame's layers are then brought to those of the style (AdaIN, Huang &
Belongie 2017). So what tells two styles apart reaches every layer without a parameter; a network that had to learn it from the
style's moments learned one brush for all of them (docs/notes/model.md).

Downsampling averages before it convolves, upsampling is bilinear: both keep small motions from turning into shimmer. (The last
doubling of older files is by nearest neighbours, which leaves a grid of two pixels on flat ground.)
Every convolution repeats its border pixels: with zeros there the network learned to paint a dark bar beside the border.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.models.attention import AdaAttN, AttentionKind, adain, mean_variance_norm, moment_code, standardise
from vidstyle.models.color_transfer import colour_code, recolour
from vidstyle.models.mixing.by_pixel import CodeByPixel, StrengthByPixel
from vidstyle.models.mixing.strength import at_strength
from vidstyle.models.style_code import MomentCode, ScaleCode, StyleCode

STRIDE = 8

Scales = tuple[Tensor, Tensor, Tensor]
"""Features at 1/2, 1/4, 1/8."""
Keys = tuple[Tensor, Tensor]
"""Keys at 1/4 and 1/8."""
Upsampling = Literal["nearest", "bilinear"]
_FIRST_LAYER = 3
"""Where the decoder's layers begin in a code, after colour and the attention at 1/4 and 1/8."""


@dataclass(frozen=True)
class CompactConfig:
    """Shape of a CompactNet."""

    widths: tuple[int, int, int] = (32, 64, 128)
    """Channels at 1/2, 1/4, 1/8."""
    key_widths: tuple[int, int] = (32, 64)
    """Query/key channels of the attention at 1/4 and 1/8."""
    encoder_blocks: tuple[int, int] = (1, 1)
    """Residual blocks at 1/4 and 1/8 on the way down."""
    decoder_blocks: tuple[int, int] = (2, 1)
    """Residual blocks at 1/4 and 1/8 on the way up."""
    output_width: int = 16
    """Channels before the last convolution, at full size."""
    attention: AttentionKind = "cosine"
    """"softmax" only to compare (docs/ablation.md): its cost grows with frame times style."""
    by_example: bool = True
    """Whether the decoder's layers take the style's moments."""
    last_upsampling: Upsampling = "nearest"
    """Of the doubling before the last convolution; files that do not say it were trained with "nearest". They cost the same."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CompactConfig:
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**known)


class ReplicateConv2d(nn.Conv2d):
    """A convolution, 3x3 or 1x1, that repeats border pixels: zeros there would tell the network where the border is, and it
    paints a frame. Padding is a step of its own: torch's `padding_mode` trains slower in bfloat16 on a processor."""

    def __init__(self, i: int, o: int, size: int = 3) -> None:
        super().__init__(i, o, size)
        self.edge = size // 2

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(replicate_pad(x, self.edge))


class PixelConv2d(ReplicateConv2d):
    """For samples of a picture in [0, 1]: in steps of 1/255 they are whole numbers, which bfloat16 holds exactly."""

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(replicate_pad(x * 255), self.weight / 255, self.bias)


def replicate_pad(x: Tensor, n: int = 1) -> Tensor:
    """n more pixels on each side, copies of the outermost."""
    return F.pad(x, (n, n, n, n), mode="replicate") if n else x


Site = Callable[[Tensor], Tensor]
"""What happens to a layer of the decoder before its activation: (B, C, H, W) in and out."""


def _leaky(x: Tensor) -> Tensor:
    """A leaky ReLU. With a plain one all but a few of the 128 channels at 1/8 died in training and took that scale with them:
    nothing in the encoder normalises what a ReLU sees, and a decoder's layer that is dead in the style stays dead in the frame,
    whose moments are made the style's (docs/notes/model.md)."""
    return F.leaky_relu(x, 0.1)


def _untouched(x: Tensor) -> Tensor:
    return x


class Block(nn.Module):
    """x + b(leaky(site(a(x)))), a 3x3 and b 1x1, identity at the start."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a, self.b = ReplicateConv2d(channels, channels), ReplicateConv2d(channels, channels, 1)
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(cast(Tensor, self.b.bias))

    def forward(self, x: Tensor, site: Site = _untouched) -> Tensor:
        return cast(Tensor, x + self.b(_leaky(site(self.a(x)))))


class Encoder(nn.Module):
    """Frame to features at 1/2, 1/4 and 1/8, all after an activation or a residual sum."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        w, n = config.widths, config.encoder_blocks
        self.stem = PixelConv2d(12, w[0])
        self.quarter = ReplicateConv2d(w[0], w[1])
        self.quarter_blocks = nn.Sequential(*(Block(w[1]) for _ in range(n[0])))
        self.eighth = ReplicateConv2d(w[1], w[2])
        self.eighth_blocks = nn.Sequential(*(Block(w[2]) for _ in range(n[1])))

    def forward(self, x: Tensor) -> Scales:
        a = _leaky(self.stem(F.pixel_unshuffle(x, 2)))
        b = self.quarter_blocks(_leaky(self.quarter(F.avg_pool2d(a, 2))))
        c = self.eighth_blocks(_leaky(self.eighth(F.avg_pool2d(b, 2))))
        return a, b, c


class CompactNet(nn.Module):
    """See the module's docstring. `encode_style(image) -> StyleCode`, `forward(frames, code) -> frames`."""

    architecture = "compact"

    def __init__(self, config: CompactConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CompactConfig()
        w, k = config.widths, config.key_widths
        self.encoder = Encoder(config)
        kind = config.attention
        self.attend_quarter = AdaAttN(w[1], w[0] + w[1], width=k[0], attention=kind)
        self.attend_eighth = AdaAttN(w[2], sum(w), width=k[1], attention=kind)
        for attend in (self.attend_quarter, self.attend_eighth):
            # One feature space for both: a picture that is its own style then finds itself, which strength relies on.
            attend.g.load_state_dict(attend.f.state_dict())
        for attend in (self.attend_quarter, self.attend_eighth):
            nn.init.dirac_(attend.h.weight)
            nn.init.zeros_(cast(Tensor, attend.h.bias))
        n = config.decoder_blocks
        self.eighth_blocks = nn.ModuleList(Block(w[2]) for _ in range(n[1]))
        self.eighth_up = ReplicateConv2d(w[2], w[1])
        self.quarter_blocks = nn.ModuleList(Block(w[1]) for _ in range(n[0]))
        self.quarter_up = ReplicateConv2d(w[1], w[0])
        self.half_in = ReplicateConv2d(w[0] + 3, w[0])
        self.half_mid = ReplicateConv2d(w[0], w[0], 1)
        self.half_out = ReplicateConv2d(w[0], config.output_width)
        self.full = ReplicateConv2d(config.output_width, 3)
        opponent = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
        self.register_buffer("opponent", opponent / opponent.norm(dim=1, keepdim=True), persistent=False)

    def encode_style(self, image: Tensor) -> StyleCode:
        """The code of a style picture.

        Args:
            image: (B, 3, H, W) float in [0, 1], H and W at least 16.

        Returns:
            colour, attention at 1/4 and 1/8, then the moments of the decoder's layers in their order; batch B.
        """
        x = pad(image)
        features = self.encoder(x)
        return self._code(x, features, self._keys(features))

    def forward(
        self, frames: Tensor, code: StyleCode, strength: float | Tensor | None = None, *, beyond: bool = False
    ) -> Tensor:
        """Frames in the style of a code.

        Args:
            frames: (B, 3, H, W) float in [0, 1], H and W at least 16.
            code: batch B or 1.
            strength: a in [0, 1], a number or (B,): a * code + (1 - a) * the code of the frame itself. None is 1.
            beyond: the strength is in [1, 2], past the style (`models.mixing.extrapolation`).

        Returns:
            (B, 3, H, W) float, not clamped: [0, 1] up to the network's error.
        """
        h, w = frames.shape[2:]
        x = pad(frames)
        features = self.encoder(x)
        keys = self._keys(features)
        if strength is not None:
            code = at_strength(code, self._code(x, features, keys), strength, beyond=beyond, colour=0)
        layers = iter(code.scales[_FIRST_LAYER:])

        def follow(layer: Tensor) -> Tensor:
            return adain(layer, cast(MomentCode, next(layers)))

        y = self._decode(x, features, keys, code, follow if self.config.by_example else _untouched)
        return y[:, :, :h, :w]

    def mixed(
        self,
        frames: Tensor,
        code: StyleCode,
        shares: Tensor,
        strength: float | Tensor | None = None,
        *,
        beyond: bool = False,
    ) -> Tensor:
        """Frames in several styles at once (`models.mixing.by_pixel`).

        Args:
            frames: (B, 3, H, W) float in [0, 1].
            code: of the styles, batch R; cosine attention only.
            shares: (B, R, H, W) float of each style at each pixel, summing to 1.
            strength, beyond: as of `forward`.

        Returns:
            (B, 3, H, W) float, not clamped.
        """
        h, w = frames.shape[2:]
        x = pad(frames)
        features = self.encoder(x)
        keys = self._keys(features)
        amount = None
        if strength is not None:
            a = torch.as_tensor(strength, dtype=torch.float32, device=x.device).reshape(-1)
            amount = StrengthByPixel(self._code(x, features, keys), a, beyond)
        wide = shares.to(torch.promote_types(shares.dtype, torch.float32))
        here = CodeByPixel(code, pad(wide), amount)
        quarter, eighth = (here.attention(i, features[i].shape) for i in (1, 2))
        front = StyleCode(cast("tuple[ScaleCode, ...]", (here.moments(0, features[2].shape), quarter, eighth)))
        layers = count(_FIRST_LAYER)

        def follow(layer: Tensor) -> Tensor:
            return adain(layer, here.moments(next(layers), layer.shape), here.frame_moments(layer))

        y = self._decode(x, features, keys, front, follow if self.config.by_example else _untouched)
        return y[:, :, :h, :w]

    def _code(self, x: Tensor, features: Scales, keys: Keys) -> StyleCode:
        code = StyleCode(
            (
                colour_code(self._colour(x)),
                self.attend_quarter.encode(features[1], keys[0]),
                self.attend_eighth.encode(features[2], keys[1]),
            )
        )
        if not self.config.by_example:
            return code
        layers: list[MomentCode] = []

        def note(layer: Tensor) -> Tensor:
            layers.append(moment_code(layer))
            return layer

        self._decode(x, features, keys, code, note)
        return StyleCode((*code.scales, *layers))

    def _colour(self, x: Tensor) -> Tensor:
        """The frame low-passed to 1/8, in orthogonal opponent colours, lightness first: what `recolour` takes."""
        # Pixels of a 2x2 square side by side, as the stem has them: pooling three channels alone is slow.
        low = F.avg_pool2d(F.pixel_unshuffle(x.float(), 2), STRIDE // 2)
        with torch.autocast(x.device.type, enabled=False):
            return torch.einsum("oc,bchw->bohw", cast(Tensor, self.opponent).repeat_interleave(4, 1) / 4, low)

    def _keys(self, features: Scales) -> Keys:
        """Keys of a scale: normalised features of it and of all finer ones, pooled to its size."""
        a = features[0].to(torch.promote_types(features[0].dtype, torch.float32))
        b, c = map(mean_variance_norm, features[1:])
        a4 = standardise(F.avg_pool2d(a, 2), moment_code(a))
        a8, b8 = F.avg_pool2d(a4, 2), F.avg_pool2d(b, 2)
        return torch.cat([a4, b], 1), torch.cat([a8, b8, c], 1)

    def _decode(self, x: Tensor, features: Scales, keys: Keys, code: StyleCode, site: Site) -> Tensor:
        """The picture; `site` sees each layer of the decoder before its activation, always in the same order."""
        colour = recolour(self._colour(x), cast(MomentCode, code.scales[0]))
        base = F.interpolate(
            torch.einsum("oc,bohw->bchw", cast(Tensor, self.opponent), colour), scale_factor=4.0, mode="bilinear"
        )
        y = self.attend_eighth(features[2], keys[1], code.scales[2]).to(x.dtype)
        for block in self.eighth_blocks:
            y = block(y, site)
        y = double(site(self.eighth_up(y)))
        y = _leaky(self.attend_quarter(features[1], keys[0], code.scales[1]) + y).to(x.dtype)
        for block in self.quarter_blocks:
            y = block(y, site)
        y = _leaky(double(site(self.quarter_up(y))))
        y = _leaky(site(self.half_in(torch.cat([y, base.to(y.dtype)], 1))))
        y = _leaky(site(self.half_mid(y)))
        return upsampled_conv(_leaky(site(self.half_out(y))), self.full, self.config.last_upsampling)


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def upsampled_conv(x: Tensor, layer: nn.Conv2d, upsampling: Upsampling = "nearest") -> Tensor:
    """`layer`, a 3x3 convolution to few channels that repeats border pixels, after doubling x, exactly: at full size each of
    the four pixels of a 2x2 square sees only 3x3 different inputs (nearest neighbours: 2x2), so one convolution of x gives
    all four. Borders too: bilinear doubling repeats the outermost row, as the convolution does.

    Returns:
        (B, C, 2H, 2W) of x (B, _, H, W).
    """
    weight, bias = layer.weight, cast(Tensor, layer.bias)
    taps = _taps(upsampling, weight)
    with torch.autocast(x.device.type, enabled=False):
        folded = torch.einsum("aku,oiuv,blv->oabikl", taps, weight, taps).reshape(-1, *weight.shape[1:])
    return F.pixel_shuffle(F.conv2d(replicate_pad(x), folded, bias.repeat_interleave(4)), 2)


def _taps(upsampling: Upsampling, like: Tensor) -> Tensor:
    """(2, 3, 3), taps[a, k, u]: how much of input row (column) k - 1 of three is in what tap u of a pixel in row (column) a of
    its square sees.

    Counted out where the weights are: a table from the host would be copied at every call, which a CUDA graph refuses.
    """
    at, tap = (torch.arange(n, device=like.device) for n in (2, 3))
    seen = at[:, None, None] + tap - 1  # row at full size, counted from the square's upper one: (2, 1, 3)
    if upsampling == "nearest":
        return ((seen + 2) // 2 == tap[:, None]).to(like)
    # Half sizes have their rows in the middle of squares, at .5 + 2 (k - 1): a row less than 2 away counts.
    return (1 - (seen - (2 * tap[:, None] - 1.5)).abs() / 2).clamp_min(0).to(like)


def pad(x: Tensor) -> Tensor:
    """Repeat the last column and row until the sides are multiples of STRIDE; channels-last in memory."""
    h, w = x.shape[2:]
    return F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate").contiguous(memory_format=torch.channels_last)
