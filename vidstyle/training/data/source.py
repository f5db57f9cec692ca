"""What a training asks of its data, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from vidstyle.training.data.images import ImageFolder
from vidstyle.training.objective.batch import Batch
from vidstyle.training.recipe import Recipe

if TYPE_CHECKING:  # reading clips needs PyAV, which training from a pack does without
    from vidstyle.training.data.clips import ClipFolder

Images = Sequence[NDArray[np.uint8]]
"""(H, W, 3) uint8 each."""


class BatchSource(Protocol):
    """Batches as a function of the step, and the pictures that are kept out of them."""

    @property
    def content(self) -> ImageFolder:
        """Photos that are trained on."""
        ...

    @property
    def style(self) -> ImageFolder:
        """Paintings that are trained on."""
        ...

    @property
    def validates(self) -> bool:
        """Whether there are pictures to validate on."""
        ...

    @property
    def unseen_content(self) -> Images:
        """Photos that are set aside."""
        ...

    @property
    def unseen_style(self) -> Images:
        """Paintings that are set aside."""
        ...

    @property
    def unseen_clips(self) -> ClipFolder | None:
        """Clips for validation only."""
        ...

    def about(self) -> dict[str, Any]:
        """Sizes and digests, for the metadata of checkpoints."""
        ...

    def batch(self, index: int, step: int, part: int) -> Batch:
        """This process's batch.

        Args:
            index: of the stage.
            step: within the stage.
            part: number of the batch among those that are accumulated.
        """
        ...


class TrainingData(Protocol):
    """What a training is given."""

    def batches(self, recipe: Recipe, device: torch.device, process: tuple[int, int] = (0, 1)) -> BatchSource:
        """Its batches for a recipe.

        Args:
            device: where they are wanted.
            process: number of this process, and how many there are.

        Raises:
            UsageError: the recipe asks for data that are not there, or does not use what is given.
        """
        ...


def examples(source: BatchSource) -> tuple[Images, Images]:
    """Three photos and five paintings for previews: unseen ones, where pictures are set aside."""
    pick = np.random.default_rng(7)
    chosen = []
    for unseen, folder, count in ((source.unseen_content, source.content, 3), (source.unseen_style, source.style, 5)):
        more = pick.integers(0, len(folder.images), count)
        chosen.append([*unseen, *(folder.images[int(i)] for i in more)][:count])
    return chosen[0], chosen[1]
