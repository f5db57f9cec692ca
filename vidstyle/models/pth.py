"""Weights from PyTorch's own files, read without unpickling code; and the VGG-19 that style transfer hands around as one."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from vidstyle.core.errors import InputError
from vidstyle.core.files import cause, check_regular

VGG_NORMALISED: dict[str, int] = {
    "conv1_1": 2, "conv1_2": 5,
    "conv2_1": 9, "conv2_2": 12,
    "conv3_1": 16, "conv3_2": 19, "conv3_3": 22, "conv3_4": 25,
    "conv4_1": 29, "conv4_2": 32, "conv4_3": 35, "conv4_4": 38,
    "conv5_1": 42,
}  # fmt: skip
"""Our name of a convolution -> its index in `vgg_normalised.pth`, a sequence in which paddings, ReLUs and poolings count.
The four behind relu5_1 are not used; number 0 is a 1x1 convolution that turns RGB in [0, 1] into centred BGR in [0, 255]."""


def read_pth(path: Path) -> dict[str, Tensor]:
    """Names and tensors of a state dict, on the processor; "module." in front of names is dropped.

    Raises:
        InputError: no such file, not torch's format, or anything else in it than tensors by name (which is never loaded).
    """
    check_regular(path)
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({cause(error)}).") from error
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, AttributeError, IndexError) as error:
        raise InputError(
            f"{path}: is no file of weights, or holds more than weights, which is not loaded; give a state dict saved by torch."
        ) from error
    if not isinstance(found, dict) or not found:
        raise InputError(f"{path}: holds no weights by name; give a state dict saved by torch.")
    if not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in found.items()):
        raise InputError(f"{path}: holds something else than weights by name; give a state dict saved by torch.")
    return {k.removeprefix("module."): v for k, v in found.items()}


def vgg_normalised(given: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """What `read_pth` found in `vgg_normalised.pth` under our names, with its 1x1 convolution folded into conv1_1: float32,
    exact to rounding, and where padding reflects at the borders too.

    Raises:
        InputError: it is something else.
    """
    names = {ours: str(index) for ours, index in VGG_NORMALISED.items()}
    for name in ("0", *names.values()):
        if f"{name}.weight" not in given or f"{name}.bias" not in given:
            raise InputError(f"{path}: is not vgg_normalised.pth ({name}.weight is missing); give that file to --vgg.")
    out = {f"{ours}.{part}": given[f"{n}.{part}"].float() for ours, n in names.items() for part in ("weight", "bias")}
    mix, shift = given["0.weight"].double(), given["0.bias"].double()
    first = out["conv1_1.weight"].double()
    if mix.shape != (3, 3, 1, 1) or first.shape[1:] != (3, 3, 3):
        raise InputError(
            f"{path}: is not vgg_normalised.pth (its first layers have other shapes); give that file to --vgg."
        )
    out["conv1_1.weight"] = torch.einsum("omhw,mi->oihw", first, mix[:, :, 0, 0]).float()
    out["conv1_1.bias"] = (out["conv1_1.bias"].double() + torch.einsum("omhw,m->o", first, shift)).float()
    return out
