"""Chance as a function of (seed, stage, step, picture): what a picture becomes does not depend on who computes it.

The pictures of one step of the optimiser are numbered over all processes and all parts of an accumulated batch. Two processes
with four pictures each thus see what one process with eight would see, and a resumed training what an uninterrupted one would.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch


class Purpose(IntEnum):
    """What is drawn; each has a stream of its own, so that switching one off does not change the others."""

    CONTENT = 0
    STYLE = 1
    CLIP = 2
    MOTION = 3
    POSITIONS = 4
    CONTENT_COLOUR = 5
    STYLE_COLOUR = 6
    CONTENT_ROTATION = 7
    STYLE_ROTATION = 8
    SHIFT = 9
    GRAIN = 10
    POSITION = 11


@dataclass(frozen=True)
class StepRandomness:
    """The chances of one batch."""

    seed: int
    stage: int
    """Index of the recipe's stage."""
    step: int
    """Within the stage."""
    first: int = 0
    """Number of the batch's first picture among all pictures of this step."""

    def rng(self, what: Purpose, number: int = 0) -> np.random.Generator:
        """A generator for picture (or pair) `number` of the step."""
        return np.random.default_rng([self.seed, self.stage, self.step, what, number])

    def generator(self, what: Purpose, number: int = 0) -> torch.Generator:
        """The same as a torch generator, on the CPU: its numbers are the same whatever computes with them."""
        return torch.Generator().manual_seed(int(self.rng(what, number).integers(2**62)))

    def rngs(self, what: Purpose, count: int) -> list[np.random.Generator]:
        """A generator for each of the batch's `count` pictures."""
        return [self.rng(what, self.first + i) for i in range(count)]

    def generators(self, what: Purpose, count: int) -> list[torch.Generator]:
        """The same as torch generators."""
        return [self.generator(what, self.first + i) for i in range(count)]
