"""Normalised VGG: the loss network of training, the ruler of style distance, the encoder of the reference models.

'Normalised' means that every channel is scaled so that its mean after ReLU is about 1 on photos; the losses' weights and the
style distance presuppose it. Input is RGB in [0, 1]: channel order, 255 and mean are folded into conv1_1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from vidstyle.core.errors import InputError
from vidstyle.core.files import cause, check_regular
from vidstyle.models.pth import read_pth, vgg_normalised

LAYOUTS: dict[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
"""Convolutions a block; only the first of block 5 is needed for relu5_1."""
WIDTHS = (64, 128, 256, 512, 512)


class VGG(nn.Module):
    """The convolutions of a VGG up to relu{depth}_1, frozen, in evaluation mode.

    Borders are reflected, as upstream's encoder does and as weights are normalised. With zeros some channels see nothing but
    the border between picture and zeros: 1 of 256 of relu3_1, 2 of 512 of relu4_1, 1 of relu5_1. Each is 15 to 40 times as
    large as any other, most of any sum of squares (docs/notes/model.md, fifth round).

    Args:
        layout: a key of LAYOUTS.
        depth: 1 to 5.
        widths: channels of each block; other than WIDTHS for tests, which then take a tenth of the time.
    """

    def __init__(self, layout: str = "vgg16", depth: int = 5, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.layout, self.depth, self.widths = layout, depth, tuple(widths)
        channels = 3
        for block, (count, width) in enumerate(zip(LAYOUTS[layout][:depth], widths, strict=False), 1):
            for n in range(1, count + 1 if block < depth else 2):
                self.add_module(f"conv{block}_{n}", nn.Conv2d(channels, width, 3, padding=1, padding_mode="reflect"))
                channels = width
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor, upto: int | None = None) -> list[Tensor]:
        """Features relu1_1 ... relu{upto}_1.

        Args:
            x: (B, 3, H, W) float in [0, 1].
            upto: the last block wanted, 1 to depth (default: depth).

        Returns:
            a list of (B, widths[i], ceil(H / 2^i), ceil(W / 2^i)).
        """
        upto = upto or self.depth
        taps: list[Tensor] = []
        for block, count in enumerate(LAYOUTS[self.layout][:upto], 1):
            if block > 1:
                x = F.max_pool2d(x, 2, 2, ceil_mode=True)
            for n in range(1, count + 1 if block < upto else 2):
                x = F.relu(cast(nn.Conv2d, self.get_submodule(f"conv{block}_{n}"))(x), inplace=True)
                if n == 1:
                    taps.append(x)
        return taps


def load_vgg(path: Path) -> VGG:
    """A normalised VGG-16 or VGG-19 from a safetensors file with keys `conv{block}_{n}.weight|bias`, or from
    `vgg_normalised.pth`.

    Raises:
        InputError: the file is missing, unreadable, or holds something else.
    """
    return vgg_of(read_weights(path), path)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors or .pth file by name. Raises InputError."""
    check_regular(path)
    if path.suffix == ".pth":
        return read_pth(path)
    try:
        return load_file(path)
    except OSError as error:
        raise InputError(f"{path}: cannot read VGG weights ({cause(error)}); give another file to --vgg.") from error
    except SafetensorError as error:
        raise InputError(f"{path}: cannot read VGG weights ({error}); give another file to --vgg.") from error


def vgg_of(tensors: Mapping[str, Tensor], path: Path) -> VGG:
    """The network of these weights, VGG-16 or VGG-19 by their names.

    Args:
        tensors: keys `conv{block}_{n}.weight|bias`, others are left alone; or those of `vgg_normalised.pth`.
        path: of the file that they come from, for the sentence.

    Raises:
        InputError: a weight is missing, has another shape, or is not finite.
    """
    if path.suffix == ".pth":
        tensors = vgg_normalised(tensors, path)
    net = VGG("vgg19" if "conv3_4.weight" in tensors else "vgg16")
    for name, wanted in net.state_dict().items():
        if name not in tensors:
            raise InputError(f"{path}: not a normalised VGG ({name} is missing); give another file to --vgg.")
        given = tensors[name]
        if given.shape != wanted.shape:
            shapes = " and not ".join("x".join(map(str, x.shape)) for x in (given, wanted))
            raise InputError(f"{path}: not a normalised VGG ({name} is {shapes}); give another file to --vgg.")
        if not bool(given.isfinite().all()):
            raise InputError(f"{path}: {name} holds infinite or undefined numbers; give another file to --vgg.")
    net.load_state_dict({k: tensors[k].float() for k in net.state_dict()})
    return net.to(memory_format=torch.channels_last)
