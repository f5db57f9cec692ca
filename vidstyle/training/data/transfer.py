"""From the host to the device, without making the host wait."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def upload(values: Tensor | NDArray[np.float64], device: torch.device) -> Tensor:
    """A tensor of the host on the device; an array as float32. To a GPU it goes from pinned memory, so that the call returns
    before the copy is made: a plain copy would wait for everything that the GPU still has to do."""
    tensor = values if isinstance(values, Tensor) else torch.from_numpy(values.astype(np.float32))
    if device.type == "cuda" and tensor.device.type == "cpu" and torch.cuda.is_available():
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)
