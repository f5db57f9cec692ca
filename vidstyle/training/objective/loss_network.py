"""The loss network: a normalised VGG from a file of any known layout, or torchvision's VGG-19 from its cache.

Torchvision's weights are those of the classifier: they expect pictures with ImageNet's mean and deviation taken off, and their
channels differ in size by orders of magnitude. The first is folded into conv1_1. The second is undone by a scale a channel,
measured on photos: dividing a convolution's output by s and multiplying the next one's input by s changes nothing else, because
ReLU and max-pooling commute with positive factors. Every channel then has mean 1, which the losses' weights presuppose.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from vidstyle.core.errors import InputError
from vidstyle.imaging.tensors import unit_range
from vidstyle.models.pth import read_pth
from vidstyle.models.vgg import LAYOUTS, VGG, read_weights, vgg_of
from vidstyle.training.data.images import square

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's RGB in [0, 1], as torchvision's weights expect them."""
_PHOTOS, SIDE = 64, 224
"""Photos that the scales are measured on, and the side of their middles, pixels."""


def load_loss_network(file: Path | None, photos: Sequence[NDArray[np.uint8]], *, download: bool = False) -> VGG:
    """A normalised VGG, float32.

    Args:
        file: normalised weights (safetensors, keys `conv1_1.weight`), torchvision's (safetensors or .pth, keys
            `features.0.weight`, of VGG-16 or VGG-19), or `vgg_normalised.pth`. None: torchvision's VGG-19 from its cache.
        photos: (H, W, 3) uint8 each; torchvision's weights are normalised on them.
        download: fetch torchvision's VGG-19 into its cache where it is not there.

    Raises:
        InputError: there is no file, or it holds something else, or the download failed.
    """
    if file is None:
        return normalised(from_torchvision(read_pth(_cached(download)), "torchvision's VGG-19"), photos)
    given = read_weights(file)
    if "features.0.weight" in given:
        return normalised(from_torchvision(given, str(file)), photos)
    return vgg_of(given, file)


def _cached(download: bool) -> Path:
    """The file of torchvision's VGG-19 weights. Raises InputError where it is not there, or does not come."""
    from torchvision.models import VGG19_Weights  # type: ignore[import-untyped]

    url = VGG19_Weights.IMAGENET1K_V1.url
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if path.exists():
        return path
    if not download:
        raise InputError(
            f"no loss network: {path} is not there; add --download-vgg to fetch torchvision's VGG-19 (548 MB), or name a "
            "file of VGG weights with --vgg."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # The name ends with the beginning of the file's SHA-256, which is compared.
        torch.hub.download_url_to_file(url, str(path), hash_prefix=path.stem.rpartition("-")[2])
    except (OSError, RuntimeError) as error:
        raise InputError(
            f"{url}: cannot be downloaded ({error}); fetch it by other means and name the file with --vgg."
        ) from error
    return path


def from_torchvision(given: dict[str, Tensor], name: str) -> VGG:
    """The convolutions of a torchvision VGG-16 or VGG-19 (without batch norm), fed with RGB in [0, 1]; not yet normalised.

    Away from the picture's border it computes what torchvision's does; at the border this one reflects (see `VGG`).

    Raises:
        InputError: another network.
    """
    # Number 16 is a pooling in VGG-16 and the fourth convolution of block 3 in VGG-19.
    layout = "vgg19" if "features.16.weight" in given else "vgg16"
    net = VGG(layout)
    wanted = net.state_dict()
    weights = {
        f"{ours}.{part}": given.get(f"features.{index}.{part}", torch.empty(0)).float()
        for ours, index in torchvision_names(layout).items()
        for part in ("weight", "bias")
    }
    for key in wanted:
        if weights[key].shape != wanted[key].shape:
            raise InputError(
                f"{name}: is not torchvision's VGG-16 or VGG-19 ({key} does not fit; those with batch norm cannot be used)."
            )
    first = weights["conv1_1.weight"] / torch.tensor(DEVIATION)[:, None, None]
    weights["conv1_1.weight"] = first
    weights["conv1_1.bias"] = weights["conv1_1.bias"] - (first * torch.tensor(MEAN)[:, None, None]).sum((1, 2, 3))
    net.load_state_dict(weights)
    return net.to(memory_format=torch.channels_last)


def torchvision_names(layout: str) -> dict[str, int]:
    """Our name of a convolution -> its index in torchvision's `features`, where ReLUs and poolings count; up to conv5_1."""
    names, index = {}, 0
    for block, count in enumerate(LAYOUTS[layout], 1):
        for n in range(1, count + 1 if block < 5 else 2):
            names[f"conv{block}_{n}"] = index
            index += 2
        index += 1
    return names


@torch.no_grad()
def normalised(net: VGG, photos: Sequence[NDArray[np.uint8]]) -> VGG:
    """Scale every channel of `net`, in place, so that its mean after ReLU is 1 on the photos (PHOTOS of them, spread evenly).

    A channel that no photo excites is left as it is.
    """
    picks = np.linspace(0, len(photos) - 1, min(_PHOTOS, len(photos))).round().astype(int)
    before: Tensor | None = None
    means = channel_means(net, [unit_range(square(photos[i], SIDE))[None] for i in picks])
    for name, mean in means.items():
        layer = cast(nn.Conv2d, net.get_submodule(name))
        scale = torch.where(mean > 1e-8, mean, torch.ones_like(mean))
        if before is not None:
            layer.weight.mul_(before[None, :, None, None])
        layer.weight.div_(scale[:, None, None, None])
        cast(Tensor, layer.bias).div_(scale)
        before = scale
    return net


def channel_means(net: VGG, pictures: Sequence[Tensor]) -> dict[str, Tensor]:
    """The mean of every channel after ReLU over the pictures, (1, 3, H, W) in [0, 1] each: name of the convolution > (C,)."""
    sums: dict[str, Tensor] = {}

    def note(name: str) -> object:
        def hook(_: nn.Module, __: object, out: Tensor) -> None:
            sums[name] = sums.get(name, torch.zeros(out.shape[1])) + F.relu(out).mean((0, 2, 3)) / len(pictures)

        return hook

    handles = [layer.register_forward_hook(note(name)) for name, layer in net.named_children()]  # type: ignore[arg-type]
    try:
        for picture in pictures:
            net(picture)
    finally:
        for handle in handles:
            handle.remove()
    return sums
