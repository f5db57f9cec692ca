"""Codes of style pictures, remembered: the second run with a style starts without encoding it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidstyle.core import cache

if TYPE_CHECKING:
    from vidstyle.engines.base import Engine
    from vidstyle.models.attention import StyleCode


def style_code(picture: NDArray[np.uint8], engine: Engine) -> StyleCode:
    """What `engine.encode_style(picture)` gives, to the bit: the key holds the picture's samples, the model's file, our code,
    torch's version and the number of threads. Codes of points (softmax attention) are large and not kept.

    Args:
        picture: (H, W, 3) uint8, at the size at which it is encoded.
    """
    import torch
    from safetensors.torch import load, save

    from vidstyle.models.attention import SoftmaxCode
    from vidstyle.models.checkpoint import code_of, named_tensors

    entry = cache.entry(
        "code",
        code_of=cache.code_digest("vidstyle.models"),
        model=engine.model.digest,
        picture=hashlib.sha256(np.ascontiguousarray(picture).tobytes()).hexdigest(),
        shape=list(picture.shape),
        threads=engine.threads,
        torch=torch.__version__,
    )
    if (stored := cache.load(entry)) is not None:
        return code_of(load(stored), engine.model.digest)
    code = engine.encode_style(picture)
    if not any(isinstance(scale, SoftmaxCode) for scale in code.scales):
        cache.save(entry, save(named_tensors(code)))
    return code
