"""When a training has left the numbers behind, so that going on would only take time."""

from __future__ import annotations

import math

LIMIT = 5
"""Steps in a row with a gradient that is not finite. One now and then is left out and does no harm; the weights do not change
meanwhile, so after a few of them there is no reason why the next should be finite."""


class Divergence:
    """Counts such steps."""

    def __init__(self) -> None:
        self.in_a_row = 0

    def __call__(self, norm: float, *, searching: bool = False) -> bool:
        """Whether the training has diverged.

        Args:
            norm: of the step's gradient.
            searching: the loss is still scaled up (fp16): such a step only means that the scale was too large.
        """
        self.in_a_row = 0 if math.isfinite(norm) or searching else self.in_a_row + 1
        return self.in_a_row >= LIMIT
