"""How time and memory of AdaAttN's attention grow with frame and style: factorised cosine, naive cosine, softmax.

    python -m benchmarks.attention_scaling [--quick] [--out DIR]

One scale of the `compact` model (64 channels, keys of 64, stride 4). All three forms get queries and style points ready made
and give the mean and variance of the style's values at each query. The factorised form's code of the style, made once a film,
is timed apart. Naive is the same mathematics as factorised with the frame x style matrix written out (and checked to agree).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.harness import exponent, measure, peak_bytes
from benchmarks.record import environment, options, save, timing_options
from vidstyle.models.attention import NORM_EPS, cosine_code, cosine_moments, softmax_moments, unit
from vidstyle.models.style_code import SoftmaxCode

CHANNELS = 64
STRIDE = 4
FIXED = 4096
"""Points of the side that does not vary: a 256 x 256 px picture."""
POINTS = (1024, 2304, 4096, 9216, 14400, 32400, 57600, 129600)
"""256x64 px ... 512x288 (9216), 640x360, 960x540, 1280x720, 1920x1080 at stride 4."""
FITTED_FROM = 4096
"""Smaller sizes are overhead and cache; exponents leave them out."""
MATRIX_LIMIT = 2**30
"""Bytes of the naive form's matrix above which it is not run."""
Moments = tuple[Tensor, Tensor]


def naive(queries: Tensor, keys: Tensor, values: Tensor) -> Moments:
    """A_ij = (cos + 1) / sum_j (cos + 1), written out: (1, C, N) each."""
    weights = torch.bmm(unit(queries).transpose(1, 2), unit(keys)) + 1
    weights = weights / (weights.sum(2, keepdim=True) + NORM_EPS * keys.shape[2])
    centre = values.mean(2, keepdim=True)
    v = (values - centre).transpose(1, 2)
    mean, second = torch.bmm(weights, v), torch.bmm(weights, v * v)
    return mean.transpose(1, 2) + centre, (second - mean * mean).clamp_min(0).transpose(1, 2)


def forms(frame: int, style: int) -> dict[str, Callable[[], object]]:
    """What is measured, by name, for a frame and a style of so many points."""
    generator = torch.Generator().manual_seed(0)
    queries, keys, values = (torch.randn(1, CHANNELS, n, generator=generator) for n in (frame, style, style))
    code = cosine_code(keys, values)
    soft = SoftmaxCode(keys.transpose(1, 2) / 8, values.transpose(1, 2), torch.zeros(1, style))
    found: dict[str, Callable[[], object]] = {
        "factorised": lambda: cosine_moments(queries, code),
        "factorised: code": lambda: cosine_code(keys, values),
        "softmax (SDPA)": lambda: softmax_moments(queries, soft),
    }
    if 4 * frame * style <= MATRIX_LIMIT:
        found["naive"] = lambda: naive(queries, keys, values)
        if frame == style == FIXED:
            pairs = zip(naive(queries, keys, values), cosine_moments(queries, code), strict=True)
            assert all(torch.allclose(a, b, atol=1e-4) for a, b in pairs), "naive and factorised disagree"
    return found


def main() -> None:
    parser = options(__doc__)
    timing_options(parser)
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    machine = environment()
    budget = 0.3 if arguments.quick else 1.0
    points = [n for n in POINTS if n <= 14400] if arguments.quick else list(POINTS)
    rows: list[dict[str, Any]] = []
    for axis in ("frame", "style"):
        for n in points:
            frame, style = (n, FIXED) if axis == "frame" else (FIXED, n)
            for form, call in forms(frame, style).items():
                if (form == "factorised: code") != (axis == "style") and form == "factorised: code":
                    continue  # the code does not see the frame
                time = measure(call, warmup=1, repeats=7, budget=budget, clock=arguments.clock)
                row = {"axis": axis, "form": form, "frame_points": frame, "style_points": style}
                rows.append({**row, "seconds": time, "peak_bytes": peak_bytes(call)})
                print(
                    f"{axis:5} {n:6} {form:17} {time.median * 1e3:9.2f} ms {(rows[-1]['peak_bytes'] or 0) / 2**20:8.1f} MiB"
                )
    fitted = [fit(rows, axis, form) for axis in ("frame", "style") for form in sorted({r["form"] for r in rows})]
    fitted = [f for f in fitted if f["points"]]
    for f in fitted:
        print(f"{f['form']} against {f['axis']}: time^{f['time_exponent']}, memory^{f['memory_exponent']}")
    settings = {
        "channels": CHANNELS,
        "key_channels": CHANNELS,
        "stride": STRIDE,
        "fixed_points": FIXED,
        "dtype": "float32",
    }
    print(
        save(
            arguments.out,
            "attention_scaling",
            rows,
            machine,
            quick=arguments.quick,
            settings=settings,
            exponents=fitted,
        )
    )


def fit(rows: list[dict[str, Any]], axis: str, form: str) -> dict[str, Any]:
    """Exponents p of value ~ points^p along one axis, over the larger sizes; memory only where all of them took 1 MiB."""
    key = f"{axis}_points"
    used = [r for r in rows if r["axis"] == axis and r["form"] == form and r[key] >= FITTED_FROM]
    sizes, memory = [r[key] for r in used], [r["peak_bytes"] or 0 for r in used]
    time = exponent(sizes, [r["seconds"].median for r in used])
    space = exponent(sizes, memory) if min(memory, default=0) >= 2**20 else None
    rounded = [None if p is None else round(p, 2) for p in (time, space)]
    return {"axis": axis, "form": form, "points": sizes, "time_exponent": rounded[0], "memory_exponent": rounded[1]}


if __name__ == "__main__":
    main()
