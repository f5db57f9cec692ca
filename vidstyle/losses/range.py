"""Range: pictures stay within what can be shown."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def out_of_range(x: Tensor) -> Tensor:
    """Mean distance of the values from [0, 1]."""
    x = x.float()
    return (F.relu(x - 1) + F.relu(-x)).mean()
