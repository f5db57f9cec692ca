"""Muon for the weights of convolutions, Adam for everything else: an optimiser that gets a little further in as many steps.

Adam scales a gradient number by number; Muon (Jordan et al. 2024) gives the matrix of a layer's momentum equal singular
values, so that a few strong directions do not drown the rest. It is torch's own, which takes matrices only: a convolution
(O, I, K, K) is one of O rows, seen through a view. Updates are scaled to the size that Adam's have (Liu et al., arXiv
2502.16982), so one learning rate does for both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

_LEAST = 8
"""Rows and columns of a weight below which it is Adam's: three rows, a picture's channels, are equal soon enough."""


class Muon(torch.optim.Optimizer):
    """See the module's docstring.

    Args:
        groups: of parameters, as any optimiser takes them; a group's "lr" may be changed at any time.
        lr: the learning rate.
        betas: Adam's.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, {"lr": lr})
        weights = [p for group in self.param_groups for p in group["params"] if _is_matrix(p)]
        self.views = {p: nn.Parameter(matrix(p.detach(), p)) for p in weights}
        """What Muon sees of the weights, in the same memory."""
        if any(view.data_ptr() != p.data_ptr() for p, view in self.views.items()):
            raise ValueError("a weight lies neither row by row nor channels-last: Muon would change a copy of it")
        by_muon = [[self.views[p] for p in group["params"] if _is_matrix(p)] for group in self.param_groups]
        by_adam = [[p for p in group["params"] if not _is_matrix(p)] for group in self.param_groups]
        self.parts: tuple[torch.optim.Optimizer, torch.optim.Optimizer] = (
            torch.optim.Muon([{"params": p} for p in by_muon], lr, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
            torch.optim.Adam([{"params": p} for p in by_adam], lr, betas=betas),
        )

    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Update the parameters from their gradients."""
        for weight, view in self.views.items():
            view.grad = None if weight.grad is None else matrix(weight.grad, weight)
        for part in self.parts:
            for own, group in zip(part.param_groups, self.param_groups, strict=True):
                own["lr"] = group["lr"]
            part.step()

    def state_dict(self) -> dict[str, Any]:
        """Momenta: those of Muon first, then Adam's, numbered through."""
        of_muon, of_adam = (part.state_dict()["state"] for part in self.parts)
        state = of_muon | {len(self.views) + i: momenta for i, momenta in of_adam.items()}
        return {"state": state, "param_groups": super().state_dict()["param_groups"]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave; learning rates stay as they are."""
        n, given = len(self.views), state_dict["state"]
        of_muon = {i: momenta for i, momenta in given.items() if i < n}
        of_adam = {i - n: momenta for i, momenta in given.items() if i >= n}
        for part, own in zip(self.parts, (of_muon, of_adam), strict=True):
            part.load_state_dict({"state": own, "param_groups": part.state_dict()["param_groups"]})


def _is_matrix(weight: Tensor) -> bool:
    """Whether a parameter is Muon's."""
    return weight.dim() == 4 and min(len(weight), weight[0].numel()) >= _LEAST


def matrix(x: Tensor, weight: Tensor) -> Tensor:
    """A weight, or its gradient, (O, I, K, K), as a matrix of O rows; in the same memory where x lies there as the weight does.
    Which column is which is nothing to Muon."""
    return (x if weight.is_contiguous() else x.permute(0, 2, 3, 1)).flatten(1)
