"""CompactNet: the arbitrary-style network that ships.

Three strides (2, 4, 8) down, cosine AdaAttN at 1/4 and 1/8, three strides up. Beside them the low-passed frame, in opponent
colours, has AdaAttN of its own; its recoloured result is *given to* the decoder, never added to the output (adding a sharp
photo teaches the decoder to paint nothing). The style's global moments modulate every convolution of the decoder (FiLM), so
that strokes can be rendered where the features themselves are already content: constant over a film, they cannot flicker.

Downsampling averages before it convolves, upsampling is bilinear up to 1/2: both keep small motions from turning into shimmer.
Every convolution repeats its border pixels: with zeros there the network learned to paint a dark bar beside the border.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vidstyle.models.attention import AdaAttN, CosineCode, StyleCode, blend, mean_variance_norm

STRIDE = 8

Scales = tuple[Tensor, Tensor, Tensor]
"""Features or keys at 1/2, 1/4, 1/8."""


@dataclass(frozen=True)
class CompactConfig:
    """Shape of a CompactNet."""

    widths: tuple[int, int, int] = (32, 64, 128)
    """Channels at 1/2, 1/4, 1/8."""
    key_widths: tuple[int, int, int] = (16, 64, 128)
    """Query/key channels of the colour, 1/4 and 1/8 attention."""
    encoder_blocks: tuple[int, int] = (1, 1)
    """Residual blocks at 1/4 and 1/8 on the way down."""
    decoder_blocks: tuple[int, int] = (2, 1)
    """Residual blocks at 1/4 and 1/8 on the way up."""
    film_width: int = 256
    """Hidden width of the network that turns style moments into modulation."""
    output_width: int = 16
    """Channels before the last convolution, at full size."""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> CompactConfig:
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**known)


class EdgeConv(nn.Conv2d):
    """A 3x3 convolution that repeats border pixels: zeros there would tell the network where the border is, and it paints a
    frame. Padding is a step of its own: torch's `padding_mode` trains slower in bfloat16 on a processor."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(i, o, 3)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(edge_pad(x))


def edge_pad(x: Tensor) -> Tensor:
    """One more pixel on each side, a copy of the outermost."""
    return F.pad(x, (1, 1, 1, 1), mode="replicate")


class Block(nn.Module):
    """x + conv(relu(scale * conv(x) + shift)), identity at the start; scale and shift come from the style where given."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.a, self.b = EdgeConv(channels, channels), EdgeConv(channels, channels)
        nn.init.zeros_(self.b.weight)
        nn.init.zeros_(cast(Tensor, self.b.bias))

    def forward(self, x: Tensor, film: tuple[Tensor, Tensor] | None = None) -> Tensor:
        return cast(Tensor, x + self.b(F.relu(modulate(self.a(x), film))))


def modulate(x: Tensor, film: tuple[Tensor, Tensor] | None) -> Tensor:
    """(1 + scale) * x + shift, per channel; x as it is without a film."""
    if film is None:
        return x
    scale, shift = film
    return x * (1 + scale).to(x.dtype) + shift.to(x.dtype)


class Encoder(nn.Module):
    """Frame to features at 1/2, 1/4 and 1/8, all after ReLU or a residual sum."""

    def __init__(self, config: CompactConfig) -> None:
        super().__init__()
        w, n = config.widths, config.encoder_blocks
        self.stem = EdgeConv(12, w[0])
        self.quarter = EdgeConv(w[0], w[1])
        self.quarter_blocks = nn.Sequential(*(Block(w[1]) for _ in range(n[0])))
        self.eighth = EdgeConv(w[1], w[2])
        self.eighth_blocks = nn.Sequential(*(Block(w[2]) for _ in range(n[1])))

    def forward(self, x: Tensor) -> Scales:
        # In steps of 1/255 a frame's samples are whole numbers, which bfloat16 holds exactly.
        a = F.relu(F.conv2d(edge_pad(F.pixel_unshuffle(x, 2) * 255), self.stem.weight / 255, self.stem.bias))
        b = self.quarter_blocks(F.relu(self.quarter(F.avg_pool2d(a, 2))))
        c = self.eighth_blocks(F.relu(self.eighth(F.avg_pool2d(b, 2))))
        return a, b, c


class Film(nn.Module):
    """Style moments to (scale, shift) of each modulated layer; near zero at the start.

    Moments are standardised by running statistics and hidden layers by LayerNorm: as they come, what styles have in common is
    ten times what tells them apart and wanders as the encoder learns. Without both the hidden units were all off within some
    hundred steps, and every style got the same modulation.
    """

    momentum = 0.01
    """Share of a batch of styles in the running statistics."""

    def __init__(self, moments: int, hidden: int, layers: list[int]) -> None:
        super().__init__()
        self.layers = layers
        self.a, self.norm_a = nn.Linear(moments, hidden), nn.LayerNorm(hidden)
        self.b, self.norm_b = nn.Linear(hidden, hidden), nn.LayerNorm(hidden)
        self.out = nn.Linear(hidden, 2 * sum(layers))
        # Adam moves every weight alike; over so many live inputs that would be far more than any convolution moves.
        self.gain = hidden**-0.5
        nn.init.normal_(self.out.weight, std=0.1)
        nn.init.zeros_(self.out.bias)
        self.register_buffer("centre", torch.zeros(moments))
        self.register_buffer("spread", torch.ones(moments))

    @staticmethod
    def moments(code: StyleCode) -> Tensor:
        """(B, M) float32: means and standard deviations of the style's values, all scales."""
        stats = [s.moments() for s in code.scales]
        return torch.cat([t for mean, var in stats for t in (mean, (var + 1e-5).sqrt())], 1)

    def forward(self, code: StyleCode) -> list[tuple[Tensor, Tensor]]:
        """Returns a (scale, shift) pair of (B, C, 1, 1) float32 a layer."""
        with torch.autocast(self.out.weight.device.type, enabled=False):
            moments = self.moments(code)
            centre, spread = cast(Tensor, self.centre).clone(), cast(Tensor, self.spread).clone()
            x = ((moments - centre) / spread).clamp(-5, 5)
            x = F.silu(self.norm_a(self.a(x)))
            x = self.out(self.gain * F.silu(self.norm_b(self.b(x))))
            if self.training:
                self._follow(moments.detach())
            parts = x[:, :, None, None].split([2 * c for c in self.layers], 1)
            return [cast(tuple[Tensor, Tensor], p.chunk(2, 1)) for p in parts]

    @torch.no_grad()
    def _follow(self, moments: Tensor) -> None:
        """Draw the running statistics towards a batch's (B, M)."""
        centre, spread = cast(Tensor, self.centre), cast(Tensor, self.spread)
        variance = torch.lerp(spread**2, (moments - centre).square().mean(0), self.momentum)
        centre.lerp_(moments.mean(0), self.momentum)
        spread.copy_(variance.sqrt().clamp_min(1e-3))


class CompactNet(nn.Module):
    """See the module's docstring. `encode_style(image) -> StyleCode`, `forward(frames, code) -> frames`."""

    architecture = "compact"

    def __init__(self, config: CompactConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or CompactConfig()
        w, k = config.widths, config.key_widths
        self.encoder = Encoder(config)
        self.attend_colour = AdaAttN(3, w[0], width=k[0], value_conv=False)
        self.attend_quarter = AdaAttN(w[1], w[0] + w[1], width=k[1])
        self.attend_eighth = AdaAttN(w[2], sum(w), width=k[2])
        for attend in (self.attend_colour, self.attend_quarter, self.attend_eighth):
            # One feature space for both: a picture that is its own style then finds itself, which strength relies on.
            attend.g.load_state_dict(attend.f.state_dict())
        for attend in (self.attend_quarter, self.attend_eighth):
            value = cast(nn.Conv2d, attend.h)
            nn.init.dirac_(value.weight)
            nn.init.zeros_(cast(Tensor, value.bias))
        n = config.decoder_blocks
        self.eighth_blocks = nn.ModuleList(Block(w[2]) for _ in range(n[1]))
        self.eighth_up = EdgeConv(w[2], w[1])
        self.quarter_blocks = nn.ModuleList(Block(w[1]) for _ in range(n[0]))
        self.quarter_up = EdgeConv(w[1], w[0])
        self.half_in = EdgeConv(w[0] + 3, w[0])
        self.half_mid = EdgeConv(w[0], w[0])
        self.half_out = EdgeConv(w[0], config.output_width)
        self.full = EdgeConv(config.output_width, 3)
        layers = [w[2]] * n[1] + [w[1]] + [w[1]] * n[0] + [w[0]] * 3 + [config.output_width]
        self.film = Film(2 * (3 + w[1] + w[2]), config.film_width, layers)
        opponent = torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
        self.register_buffer("opponent", opponent / opponent.norm(dim=1, keepdim=True), persistent=False)

    def encode_style(self, image: Tensor) -> StyleCode:
        """The code of a style picture.

        Args:
            image: (B, 3, H, W) float in [0, 1], H and W at least 16.

        Returns:
            three scales (colour, 1/4, 1/8), batch B.
        """
        x = pad(image)
        features = self.encoder(x)
        return self._code(x, features, self._keys(features))

    def forward(self, frames: Tensor, code: StyleCode, strength: float | Tensor | None = None) -> Tensor:
        """Frames in the style of a code.

        Args:
            frames: (B, 3, H, W) float in [0, 1], H and W at least 16.
            code: batch B or 1.
            strength: a in [0, 1], a number or (B,): a * code + (1 - a) * the code of the frame itself. None is 1.

        Returns:
            (B, 3, H, W) float, not clamped: [0, 1] up to the network's error.
        """
        h, w = frames.shape[2:]
        x = pad(frames)
        features = self.encoder(x)
        keys = self._keys(features)
        if strength is not None:
            a = torch.as_tensor(strength, dtype=torch.float32, device=x.device)
            code = blend([code, self._code(x, features, keys)], [a, 1 - a])
        y = self._decode(x, features, keys, code)
        return y[:, :, :h, :w]

    def _code(self, x: Tensor, features: Scales, keys: Scales) -> StyleCode:
        return StyleCode(
            (
                self.attend_colour.encode(self._colour(x), keys[0]),
                self.attend_quarter.encode(features[1], keys[1]),
                self.attend_eighth.encode(features[2], keys[2]),
            )
        )

    def _colour(self, x: Tensor) -> Tensor:
        """The frame low-passed to 1/8, in opponent colours: per-channel moments of RGB would keep the photo's hues."""
        # Pixels of a 2x2 square side by side, as the stem has them: pooling three channels alone is slow.
        low = F.avg_pool2d(F.pixel_unshuffle(x.float(), 2), STRIDE // 2)
        return torch.einsum("oc,bchw->bohw", cast(Tensor, self.opponent).repeat_interleave(4, 1) / 4, low)

    def _keys(self, features: Scales) -> Scales:
        """Keys of a scale: normalised features of it and of all finer ones, pooled to its size."""
        a, b, c = (mean_variance_norm(f) for f in features)
        a4 = F.avg_pool2d(a, 2)
        a8, b8 = F.avg_pool2d(a4, 2), F.avg_pool2d(b, 2)
        return a8, torch.cat([a4, b], 1), torch.cat([a8, b8, c], 1)

    def _decode(self, x: Tensor, features: Scales, keys: Scales, code: StyleCode) -> Tensor:
        film = iter(self.film(code))
        colour = self.attend_colour(self._colour(x), keys[0], code.scales[0])
        base = F.interpolate(
            torch.einsum("oc,bohw->bchw", cast(Tensor, self.opponent), colour), scale_factor=4.0, mode="bilinear"
        )
        y = self.attend_eighth(features[2], keys[2], code.scales[2]).to(x.dtype)
        for block in self.eighth_blocks:
            y = block(y, next(film))
        y = double(modulate(self.eighth_up(y), next(film)))
        y = F.relu(self.attend_quarter(features[1], keys[1], code.scales[1]) + y).to(x.dtype)
        for block in self.quarter_blocks:
            y = block(y, next(film))
        y = F.relu(double(modulate(self.quarter_up(y), next(film))))
        y = F.relu(modulate(self.half_in(torch.cat([y, base.to(y.dtype)], 1)), next(film)))
        y = F.relu(modulate(self.half_mid(y), next(film)))
        return doubled_conv(F.relu(modulate(self.half_out(y), next(film))), self.full)


def double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def doubled_conv(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """`layer`, a 3x3 convolution to few channels, after doubling x by nearest neighbours, exactly: at full size each of the
    four pixels of a 2x2 square sees only 2x2 different inputs, so one convolution of x gives all four.

    Returns:
        (B, C, 2H, 2W) of x (B, _, H, W).
    """
    weight, bias = layer.weight, cast(Tensor, layer.bias)
    # taps[a, k, u]: whether tap u of a pixel in row (column) a of its square falls on input row (column) k - 1 of 3.
    # Counted out where the weights are: a table from the host would be copied at every call, which a CUDA graph refuses.
    at, tap = (torch.arange(n, device=weight.device) for n in (2, 3))
    taps = ((at[:, None, None] + tap + 1) // 2 == tap[:, None]).to(weight)
    with torch.autocast(x.device.type, enabled=False):
        folded = torch.einsum("aku,oiuv,blv->oabikl", taps, weight, taps).reshape(-1, *weight.shape[1:])
    return F.pixel_shuffle(F.conv2d(edge_pad(x), folded, bias.repeat_interleave(4)), 2)


def pad(x: Tensor) -> Tensor:
    """Repeat the last column and row until the sides are multiples of STRIDE; channels-last in memory."""
    h, w = x.shape[2:]
    return F.pad(x, (0, -w % STRIDE, 0, -h % STRIDE), mode="replicate").contiguous(memory_format=torch.channels_last)


def code_shapes(config: CompactConfig) -> list[tuple[int, int]]:
    """(K, C) of each scale of the code of a CompactNet: its matrices are (K, 2C+1)."""
    c = (3, *config.widths[1:])
    return list(zip(config.key_widths, c, strict=True))


__all__ = ["CompactConfig", "CompactNet", "CosineCode", "code_shapes"]
