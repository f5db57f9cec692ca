"""What the small network and the factorised attention save: `compact` and the paper's video network, factorised and naive.

    python -m benchmarks.vgg_video_naive [--quick] [--out DIR]

One frame of 512x288 a call, uint8 in and out, a style of 512x512 that was encoded before. The naive forms are the paper's
network with the content x style matrix (9216 x 16384, 0.6 GB in fp32) written out for each frame:

- `naive` with as few passes over it as plain torch needs, and the style's keys and values made once;
- `naive, as published` in the authors' order of operations (`inference_frame.py`), which divides by both norms, adds, clamps
  and divides again, each time with a new matrix, and makes the style's keys and values for each frame.

All forms of the paper's network must paint the same picture. Its weights are random: time does not depend on them. `compact`
runs on the engine and with the precision that `auto` takes, and in fp32 beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.attention_scaling import naive
from benchmarks.films import texture
from benchmarks.harness import Timing, measure, peak_bytes
from benchmarks.record import environment, options, save, timing_options
from vidstyle.engines.choose import choose, make_engine
from vidstyle.engines.torch_engine import TorchEngine
from vidstyle.models.attention import NORM_EPS, AdaAttN, mean_variance_norm
from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.paper import VGGVideo
from vidstyle.models.registry import ModelDescriptor, find_model
from vidstyle.models.style_code import SoftmaxCode
from vidstyle.styles.resolve import resolve

STYLE = "starry-strokes"
SIZE, STYLE_SIDE = (512, 288), 512
QUICK_SIZE, QUICK_SIDE = (256, 144), 256
PUBLISHED = "vgg-video, naive, as published"
Moments = tuple[Tensor, Tensor]


class Naive(nn.Module):
    """An AdaAttN whose weights are written out; its code is the style's points."""

    def __init__(self, layer: AdaAttN) -> None:
        super().__init__()
        self.layer = layer

    def encode(self, values: Tensor, keys: Tensor) -> SoftmaxCode:
        return self.points(self.layer.g(keys), self.layer.h(values))

    def points(self, keys: Tensor, values: Tensor) -> SoftmaxCode:
        """A code as a carrier: (1, N, K) and (1, N, C)."""
        k, v = (t.flatten(2).transpose(1, 2).contiguous() for t in (keys, values))
        return SoftmaxCode(k, v, torch.zeros_like(k[..., 0]))

    def forward(self, content: Tensor, keys: Tensor, code: SoftmaxCode) -> Tensor:
        mean, var = self.moments(self.layer.f(keys).flatten(2), code)
        normalised = mean_variance_norm(content, correction=1)
        return (var + self.layer.std_eps).sqrt().view_as(content) * normalised + mean.reshape(content.shape)

    def moments(self, queries: Tensor, code: SoftmaxCode) -> Moments:
        return naive(queries, code.keys.transpose(1, 2), code.values.transpose(1, 2))


class Published(Naive):
    """The same in the authors' order. Its code is the style's features and stacked keys, not yet projected."""

    def encode(self, values: Tensor, keys: Tensor) -> SoftmaxCode:
        return self.points(keys, values)

    def moments(self, queries: Tensor, code: SoftmaxCode) -> Moments:
        k, v = (
            conv(t.transpose(1, 2)[..., None]).flatten(2)
            for conv, t in ((self.layer.g, code.keys), (self.layer.h, code.values))
        )
        lengths = [t.square().sum(1).sqrt() + NORM_EPS for t in (queries, k)]
        weights = torch.bmm(queries.transpose(1, 2), k)
        weights = torch.relu(weights / lengths[0][:, :, None] / lengths[1][:, None] + 1)
        weights = weights / (weights.sum(2, keepdim=True) + NORM_EPS)
        v = v.transpose(1, 2)
        mean = torch.bmm(weights, v)
        var = torch.relu(torch.bmm(weights, v * v) - mean * mean)
        return mean.transpose(1, 2), var.transpose(1, 2)


def paper(form: type[Naive] | None) -> StyleModel:
    """The paper's video network, weights random but lively; None is the factorised form."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = VGGVideo()
        for p in net.parameters():
            nn.init.normal_(p, std=(2 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1)
    net.attend.g.load_state_dict(net.attend.f.state_dict())
    if form is not None:
        net.attend = cast(AdaAttN, form(net.attend))
    net.requires_grad_(False).eval()
    return cast(StyleModel, net.to(memory_format=torch.channels_last))


def rounds(calls: dict[str, Callable[[], Any]], repeats: int, clock: str) -> dict[str, list[float]]:
    """Seconds of each call, warm already, in each round. A round runs all of them, the next one in reverse: what
    `harness.compare` does with two, so that ratios are of neighbours in time."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats):
        for name in reversed(calls) if turn % 2 else calls:
            taken[name].append(measure(calls[name], warmup=0, repeats=1, clock=clock).median)
    return taken


def main() -> None:
    parser = options(__doc__)
    timing_options(parser)
    arguments = parser.parse_args()
    machine, digest = environment(), find_model().digest
    size, side = (QUICK_SIZE, QUICK_SIDE) if arguments.quick else (SIZE, STYLE_SIDE)
    frame = np.stack(list(texture(*size, 1)))
    style = resolve(STYLE, size=side)
    assert not isinstance(style, Path)
    style = np.ascontiguousarray(style[:side, :side])

    choice, threads = choose(), arguments.threads
    engines: dict[str, Any] = {
        f"compact, {choice.engine} {precision}": make_engine(precision=precision, threads=threads)
        for precision in dict.fromkeys((str(choice.precision), "fp32"))
    }
    forms = {"vgg-video, factorised": None, "vgg-video, naive": Naive, PUBLISHED: Published}
    for name, form in forms.items():
        model = ModelDescriptor.in_memory(paper(form), name)
        engines[name] = TorchEngine(model, device="cpu", precision="fp32", threads=threads)
    calls: dict[str, Callable[[], Any]] = {
        name: partial(engine.stylize, frame, engine.encode_style(style)) for name, engine in engines.items()
    }
    painted: dict[str, Any] = {}
    peaks: dict[str, int | None] = {}
    for name, call in calls.items():
        # OpenVINO compiles at the first call and keeps its buffers: what a call needs is not seen from outside.
        seen = peak_bytes(lambda n=name, c=call: painted.update({n: c()}))  # type: ignore[misc]
        peaks[name] = None if engines[name].name == "openvino" else seen
    pictures = [painted[name].astype(int) for name in forms]  # painting was the warm-up as well
    apart = max(int(np.abs(p - pictures[0]).max()) for p in pictures)
    if apart > 1 or pictures[0].std() < 5:
        raise RuntimeError(f"the forms of the paper's network differ by {apart} of 255: one of them is wrong")

    taken = rounds(calls, 1 if arguments.quick else 3, arguments.clock)
    rows: list[dict[str, Any]] = []
    for name, seconds in taken.items():
        ratio = Timing.of([p / t for p, t in zip(taken[PUBLISHED], seconds, strict=True)], arguments.clock)
        time, peak = Timing.of(seconds, arguments.clock), peaks[name]
        rows.append({"form": name, "seconds": time, "published_takes_times": ratio, "peak_bytes": peak})
        memory = "       -" if peak is None else f"{peak / 2**20:8.1f}"
        print(f"{name:32} {time.median * 1e3:9.1f} ms {memory} MiB  published / this: {ratio.median:.1f}")
    settings = {
        "width": size[0],
        "height": size[1],
        "style": [STYLE, side, side],
        "threads": engines[PUBLISHED].threads,
        "largest_difference_of_255": apart,
    }
    more = {"quick": arguments.quick, "model_digest": digest, "settings": settings}
    print(save(arguments.out, "vgg_video_naive", rows, machine, **more))


if __name__ == "__main__":
    main()
