"""Networks whose weights a deeply fitted style changes."""

from __future__ import annotations

import copy

import torch

from vidstyle.models.checkpoint import StyleModel
from vidstyle.models.style_code import StyleCode


class ChangedNetworks:
    """A network as the styles change it; the last one that was asked for is kept.

    Args:
        network: is not changed.
    """

    def __init__(self, network: StyleModel) -> None:
        self._network = network
        self._kept: tuple[tuple[str, float], StyleModel] | None = None

    def get(self, code: StyleCode, strength: float) -> StyleModel:
        """The network for a code: itself, or a copy with weight + strength * change, at most the whole change."""
        if code.change is None:
            return self._network
        key = code.change.digest, strength
        if self._kept is None or self._kept[0] != key:
            changed = copy.deepcopy(self._network)
            own = dict(changed.named_parameters())
            with torch.no_grad():
                for name, value in code.change.applied(self._network, strength).items():
                    own[name].copy_(value)
            self._kept = key, changed
        return self._kept[1]
