"""RAFT (Teed and Deng, ECCV 2020) from torchvision, with weights that are already on this machine. Nothing is downloaded."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vidstyle.core.errors import InputError, UsageError

_SMALLEST = 128
"""RAFT's correlation pyramid needs 16 positions a side at stride 8."""


class RaftFlow:
    """RAFT large or small, whichever the weights are of.

    Args:
        weights: file as torchvision publishes it (a state dict; read with weights_only=True).
        device: where it runs.

    Raises:
        InputError: the file is missing, unreadable, or not RAFT's.
    """

    def __init__(self, weights: Path, device: torch.device | str = "cpu") -> None:
        self.device = torch.device(device)
        self.name, self._net = _load(weights)
        self._net.to(self.device)

    @torch.inference_mode()
    def __call__(self, first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Tensor:
        h, w = first.shape[:2]
        a, b = (self._prepared(x) for x in (first, second))
        flow = self._net(a, b)[-1]
        return cast(Tensor, flow[0, :, :h, :w].float().cpu().clone())

    def _prepared(self, frame: NDArray[np.uint8]) -> Tensor:
        """(1, 3, H', W') in [-1, 1], sides padded by repetition to a multiple of 8 and at least SMALLEST."""
        x = torch.from_numpy(np.ascontiguousarray(frame)).to(self.device).permute(2, 0, 1)[None].float() / 127.5 - 1
        h, w = x.shape[2:]
        down, right = (max(_SMALLEST, -(-n // 8) * 8) - n for n in (h, w))
        return F.pad(x, (0, right, 0, down), mode="replicate")


def _load(weights: Path) -> tuple[str, nn.Module]:
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise InputError(
            f"{weights}: cannot read RAFT weights; give torchvision's raft_large or raft_small file."
        ) from error
    from torchvision.models.optical_flow import raft_large, raft_small  # type: ignore[import-untyped]

    for name, build in (("raft-large", raft_large), ("raft-small", raft_small)):
        net = build(weights=None, progress=False)
        wanted = {k: v.shape for k, v in net.state_dict().items()}
        if isinstance(state, dict) and {k: getattr(v, "shape", None) for k, v in state.items()} == wanted:
            net.load_state_dict(state)
            return name, cast(nn.Module, net.eval())
    raise InputError(f"{weights}: not the weights of torchvision's RAFT; give its raft_large or raft_small file.")


def find_weights(named: Path | None) -> Path:
    """The weights to use: the file named, else torchvision's own download where it lies in torch's cache folder.

    Raises:
        UsageError: none named, none in the cache.
    """
    if named is not None:
        return named
    from torchvision.models.optical_flow import Raft_Large_Weights, Raft_Small_Weights

    cache = Path(torch.hub.get_dir()) / "checkpoints"
    names = [Path(str(w.url)).name for w in (*Raft_Large_Weights, *Raft_Small_Weights)]
    # The variant trained on everything comes first: it is each set's default.
    names.sort(key=lambda n: n not in {Path(str(k.DEFAULT.url)).name for k in (Raft_Large_Weights, Raft_Small_Weights)})
    for name in names:
        if (cache / name).is_file():
            return cache / name
    raise UsageError(
        f"--flow raft needs weights, and none of torchvision's lie in {cache}; name a file with --raft-weights, "
        "or use --flow dis, which needs none."
    )
