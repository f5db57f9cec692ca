"""AdaAttN's released weights (github.com/Huage001/AdaAttN) as our checkpoints: which of their names is which of ours.

The authors released two networks. The video one is three files (`vgg_normalised.pth`, and `latest_net_transformer.pth` and
`latest_net_decoder.pth` of its folder), the image one four (also `latest_net_adaattn_3.pth`). They are told apart by what the
transformer's file holds. docs/models.md has the table below in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from vidstyle.core.errors import InputError, UsageError
from vidstyle.models.paper import VGGImage, VGGStyleConfig, VGGVideo
from vidstyle.models.pth import read_pth, vgg_normalised

_DECODER = (1, 4, 7, 10, 14, 17, 21, 24)
"""Indices of the convolutions in upstream's decoder, a sequence in which paddings, ReLUs and up-samplings count."""

VIDEO: dict[str, tuple[str, str]] = {
    **{f"attend.{n}": ("transformer", n) for n in "fgh"},
    **{f"decoder.convs.{i}": ("decoder", f"decoder.{n}") for i, n in enumerate(_DECODER)},
}
_IMAGE: dict[str, tuple[str, str]] = {
    **{f"attend.0.{n}": ("adaattn3", n) for n in "fgh"},
    **{f"attend.1.{n}": ("transformer", f"attn_adain_4_1.{n}") for n in "fgh"},
    **{f"attend.2.{n}": ("transformer", f"attn_adain_5_1.{n}") for n in "fgh"},
    "merge": ("transformer", "merge_conv"),
    "narrow": ("decoder", "decoder_layer_1.1"),
    **{f"decoder.convs.{i}": ("decoder", f"decoder_layer_2.{n}") for i, n in enumerate(_DECODER)},
}
"""Our layer -> (file, upstream's layer); each has a weight and a bias. The encoder's table is `pth.VGG_NORMALISED`."""

_IMPORTED = VGGStyleConfig(layout="vgg19", std_eps=0.0)
"""Upstream adds nothing to attention's variances."""


@dataclass(frozen=True)
class ReleaseFiles:
    """The files of one release, by the names of the command's options."""

    vgg: Path
    transformer: Path
    decoder: Path
    adaattn3: Path | None = None

    def digests(self) -> dict[str, Any]:
        """Name and SHA-256 of each, for the checkpoint's metadata."""
        files = {k: v for k, v in vars(self).items() if v is not None}
        return {k: {"file": v.name, "sha256": hashlib.sha256(v.read_bytes()).hexdigest()} for k, v in files.items()}


def import_release(files: ReleaseFiles) -> VGGVideo | VGGImage:
    """The network that a release's files hold, float32, in evaluation mode.

    Raises:
        InputError: a file that cannot be read or is not what its option says.
        UsageError: --adaattn3 is missing for the image release, or given for the video one.
    """
    given = {"transformer": read_pth(files.transformer)}
    model: VGGVideo | VGGImage
    if "f.weight" in given["transformer"]:
        if files.adaattn3 is not None:
            raise UsageError(
                f"{files.transformer}: belongs to the video release, which has no --adaattn3; leave it out."
            )
        model, table = VGGVideo(_IMPORTED), VIDEO
    elif "attn_adain_4_1.f.weight" in given["transformer"]:
        if files.adaattn3 is None:
            raise UsageError(
                f"{files.transformer}: belongs to the image release; add its latest_net_adaattn_3.pth as --adaattn3."
            )
        given["adaattn3"] = read_pth(files.adaattn3)
        model, table = VGGImage(_IMPORTED), _IMAGE
    else:
        raise InputError(
            f"{files.transformer}: is not AdaAttN's transformer (it has neither f.weight nor attn_adain_4_1.f.weight); "
            "give latest_net_transformer.pth to --transformer."
        )
    given["decoder"] = read_pth(files.decoder)
    encoder = vgg_normalised(read_pth(files.vgg), files.vgg)
    weights = {f"encoder.{k}": encoder[k] for k in model.encoder.state_dict()}
    weights |= _renamed(given, table, {k: v for k, v in vars(files).items() if v is not None})
    _check_shapes(model, weights, table, files)
    model.load_state_dict(weights)
    return model.requires_grad_(False).eval()


def _renamed(
    given: Mapping[str, Mapping[str, Tensor]], table: Mapping[str, tuple[str, str]], paths: Mapping[str, Path]
) -> dict[str, Tensor]:
    """Tensors under our names. Raises InputError where a file lacks a tensor or has one that nobody asked for."""
    out: dict[str, Tensor] = {}
    left = {option: set(tensors) for option, tensors in given.items()}
    for ours, (option, theirs) in table.items():
        for part in ("weight", "bias"):
            name = f"{theirs}.{part}"
            if name not in given[option]:
                raise InputError(
                    f"{paths[option]}: has no {name}; it is not the --{option} that belongs to {paths['transformer']}."
                )
            left[option].discard(name)
            out[f"{ours}.{part}"] = given[option][name].float()
    for option, names in left.items():
        if names:
            raise InputError(
                f"{paths[option]}: has {min(names)}, which the release does not have; it is another network's --{option}."
            )
    return out


def _check_shapes(
    model: nn.Module, weights: Mapping[str, Tensor], table: Mapping[str, tuple[str, str]], files: ReleaseFiles
) -> None:
    """Raises InputError for the first tensor whose shape is not the release's."""
    for name, wanted in model.state_dict().items():
        if weights[name].shape != wanted.shape:
            layer, part = name.rsplit(".", 1)
            option, theirs = table.get(layer, ("vgg", layer.removeprefix("encoder.")))
            raise InputError(
                f"{getattr(files, option)}: {theirs}.{part} is {tuple(weights[name].shape)}, the release's is "
                f"{tuple(wanted.shape)}; only networks made with --skip_connection_3 --shallow_layer can be imported."
            )
