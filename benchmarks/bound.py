"""How fast a frame could be at best: the network's multiplications, at the speed of this processor's matrix products."""

from __future__ import annotations

from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.harness import measure
from vidstyle.models.checkpoint import StyleModel

SIDE = 2048
FRAME = (288, 512)


def multiplications(model: StyleModel) -> float:
    """Of convolutions and matrix products, for a pixel of a frame."""
    height, width = FRAME
    with torch.inference_mode():
        code = model.encode_style(torch.rand(1, 3, 64, 64))
        with FlopCounterMode(display=False) as counter:
            model(torch.rand(1, 3, height, width), code)
    return int(counter.get_total_flops()) / 2 / (height * width)


def peaks(threads: int) -> dict[str, float]:
    """Multiplications a second of torch's product of two square matrices, median, by precision."""
    torch.set_num_threads(threads)
    real = torch.rand(SIDE, SIDE)
    whole = torch.randint(-127, 128, (SIDE, SIDE), dtype=torch.int8)
    products = {
        "int8": partial(torch._int_mm, whole, whole),
        "bf16": partial(torch.mm, real.bfloat16(), real.bfloat16()),
        "fp32": partial(torch.mm, real, real),
    }
    return {name: SIDE**3 / measure(product, warmup=2, repeats=9).median for name, product in products.items()}
