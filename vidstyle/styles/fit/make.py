"""From a style's pictures to a fitted style's file: what `styles fit`, `run` and `Stylizer.fit_style` share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import UsageError
from vidstyle.styles.fit.settings import VERSION, FitSettings

if TYPE_CHECKING:
    from vidstyle.models.checkpoint import StyleModel
    from vidstyle.models.style_code import StyleCode
    from vidstyle.styles.fit.optimise import Art, Fit


def can_fit(network: StyleModel) -> bool:
    """Whether a network's styles can be fitted: those of the compact family."""
    from vidstyle.models.compact import CompactNet

    return isinstance(network, CompactNet) and network.config.attention == "cosine"


def make(
    network: StyleModel,
    digest: str,
    arts: Sequence[Art],
    settings: FitSettings,
    path: Path,
    *,
    name: str,
    pictures: Sequence[NDArray[np.uint8]] | None = None,
    fitted_on: str | None = None,
    device: str = "cpu",
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> StyleCode:
    """Fit a style, write its file, and return what the file holds.

    Args:
        network: float32 on the processor; its file's `digest`.
        path: of the style, written only when it is whole.
        name: what the user calls it.
        pictures: (H, W, 3) uint8 each, to fit on; None: the photos that ship. `fitted_on` is their digest.
        threads: processor threads; the result depends on them.

    Raises:
        UsageError: a network whose styles cannot be fitted.
        InputError: the file cannot be written.
    """
    import torch

    from vidstyle.models.checkpoint import load_style, save_fitted_code
    from vidstyle.models.compact import CompactNet
    from vidstyle.models.style_code import StyleCode
    from vidstyle.styles.fit.optimise import fit

    if not can_fit(network):
        raise UsageError("styles can be fitted for models of the compact family only; leave --fit out.")
    assert isinstance(network, CompactNet)
    if threads:
        torch.set_num_threads(threads)
    found = fit(network, arts, settings, pictures=pictures, device=device, progress=progress)
    about = {**settings.key(), "name": name, "on": fitted_on, **_told(found)}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_fitted_code(StyleCode(found.code.scales, found.change), path, digest, {"fit": about})
    return load_style(path)


def _told(found: Fit) -> dict[str, Any]:
    """What a file says of its fit, beside its settings."""

    def rounded(terms: dict[str, float]) -> dict[str, float]:
        return {name: round(value, 5) for name, value in terms.items()}

    return {
        "version": VERSION,
        "share": found.share,
        "read": rounded(found.read.terms),
        "kept": rounded(found.kept.terms),
    }
