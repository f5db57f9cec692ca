"""A pack: everything that a training needs, in one safetensors file or a few, for a machine that has nothing else.

Images are WebP files laid one after another; motion between frames is zlib-packed; the loss network and the settled recipe
travel along. Reading needs torch, numpy, safetensors and Pillow.

A file holds the tensors `bytes` (all of its blobs) and `index`, (N, 4) int64: kind, number within the kind, begin, end; the
loss network's tensors as `vgg.NAME`; and as metadata, JSON in `about`, what they are. `pack_writer` makes it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vidstyle.core.errors import InputError
from vidstyle.models.checkpoint import read
from vidstyle.models.vgg import VGG
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.data.resident_batches import ResidentBatches
from vidstyle.training.recipe import Recipe, from_json

FORMAT = 1
"""Of the files; another number is refused."""
_FLOW_STEPS = 32
"""Motion is stored in whole numbers of 1/32 pixel."""
_FLOW_SHRINK = 4
"""Motion is stored at a quarter of the frame's size."""

Pixels = NDArray[np.uint8]


class Kind(IntEnum):
    """What a blob is."""

    PHOTO = 0
    PAINTING = 1
    FRAME = 2
    FLOW = 3
    VISIBLE = 4


@dataclass(frozen=True)
class FramePair:
    """Two consecutive frames of a clip."""

    first: int
    """Number of the earlier frame."""
    second: int
    """Number of the later frame."""
    flow: NDArray[np.float32]
    """(ceil(H / 4), ceil(W / 4), 2): (y, x) in pixels of the frame, from the later one back to the earlier one."""
    visible: Pixels
    """(H, W, 1): 255 where a pixel of the later frame can be seen in the earlier one, else 0."""


@dataclass(frozen=True)
class Pack:
    """What was in the files, decoded."""

    about: dict[str, Any]
    """As it was written: digests and credits of the data, the settings, the recipe."""
    content: ImageFolder
    style: ImageFolder
    frames: tuple[Pixels, ...]
    """(H, W, 3) each."""
    pairs: tuple[FramePair, ...]
    clips: tuple[range, ...]
    """Numbers of the pairs of each clip."""
    vgg: dict[str, Tensor]
    """The loss network's weights."""

    @property
    def recipe(self) -> Recipe | None:
        """The recipe that travels with the data, if one does."""
        return from_json(self.about["recipe"]) if self.about["recipe"] else None

    def loss_network(self) -> VGG:
        """The loss network: float32, frozen, channels-last."""
        net = VGG(self.about["vgg"]["layout"], self.about["vgg"]["depth"])
        net.load_state_dict({name: tensor.float() for name, tensor in self.vgg.items()})
        return net.to(memory_format=torch.channels_last)

    def batches(self, recipe: Recipe, device: torch.device, process: tuple[int, int] = (0, 1)) -> ResidentBatches:
        """Batches that are cut on the device; arguments and errors as in `data.source.TrainingData`."""
        return ResidentBatches(self, recipe, device, process)


def read_pack(paths: Sequence[Path]) -> Pack:
    """Read a pack.

    Args:
        paths: its file, or all its parts in any order.

    Raises:
        InputError: a file cannot be read, is no pack, or they are not all parts of one pack, or a blob is damaged.
    """
    blobs: dict[tuple[Kind, int], bytes] = {}
    vgg: dict[str, Tensor] = {}
    abouts = []
    for path in paths:
        tensors, metadata = read(path)
        if metadata.get("pack") != str(FORMAT):
            raise InputError(f"{path}: not a pack that this version reads; make one with `vidstyle pack`.")
        abouts.append(metadata["about"])
        data: Pixels = tensors["bytes"].numpy()
        for kind, number, begin, end in tensors["index"].tolist():
            blobs[Kind(kind), number] = data[begin:end].tobytes()
        vgg |= {name.removeprefix("vgg."): t for name, t in tensors.items() if name.startswith("vgg.")}
    about = json.loads(abouts[0])
    names = ", ".join(path.name for path in paths)
    if len(set(abouts)) > 1 or len(blobs) != about["blobs"]:
        raise InputError(
            f"{paths[0].parent}: {names}: not all parts of one pack, which has {about['parts']}; name each with --pack."
        )
    if pack_digest(blobs) != about["sha256"]:
        raise InputError(f"{paths[0].parent}: {names}: the data are not those that were packed (SHA-256 differs).")
    images = _decode({key: blob for key, blob in blobs.items() if key[0] <= Kind.FRAME})
    photos, paintings, frames = (
        tuple(images[kind, n] for n in range(about["count"][kind])) for kind in (Kind.PHOTO, Kind.PAINTING, Kind.FRAME)
    )
    pairs = tuple(
        FramePair(
            first,
            second,
            unpack_flow(blobs[Kind.FLOW, n], frames[second].shape),
            unpack_mask(blobs[Kind.VISIBLE, n], frames[second].shape),
        )
        for n, (first, second) in enumerate(about["pairs"])
    )
    content, style = (
        ImageFolder(Path(about[name]["name"]), images_of, 0, about[name]["sha256"])
        for name, images_of in (("content", photos), ("style", paintings))
    )
    ends = np.cumsum([0, *about["clips"]]).tolist()
    clips = tuple(range(begin, end) for begin, end in pairwise(ends))
    return Pack(about, content, style, frames, pairs, clips, vgg)


def pack_digest(blobs: dict[tuple[Kind, int], bytes]) -> str:
    """SHA-256 over all blobs in the order of kind and number."""
    digest = hashlib.sha256()
    for key in sorted(blobs):
        digest.update(blobs[key])
    return digest.hexdigest()


def _decode(files: dict[tuple[Kind, int], bytes]) -> dict[tuple[Kind, int], Pixels]:
    """The images of picture files, by several threads: Pillow lets them run at once."""

    def decoded(file: bytes) -> Pixels:
        with Image.open(io.BytesIO(file)) as image:
            return np.asarray(image.convert("RGB"), np.uint8)

    with ThreadPoolExecutor() as pool:
        return dict(zip(files, pool.map(decoded, files.values()), strict=True))


def pack_flow(flow: NDArray[np.float32], visible: NDArray[np.bool_]) -> bytes:
    """Motion at a quarter of its size, in whole numbers, each less its left neighbour, deflated. Pixels that cannot be followed
    do not count where there are others beside them.

    Args:
        flow: (2, H, W), x and y in pixels.
        visible: (H, W).
    """
    values = torch.from_numpy(flow[::-1].copy())[None]
    weight = torch.from_numpy(visible)[None, None].float()
    size = (-(-visible.shape[0] // _FLOW_SHRINK), -(-visible.shape[1] // _FLOW_SHRINK))
    area = torch.nn.functional.adaptive_avg_pool2d
    share = area(weight, size)
    small = torch.where(share > 0, area(values * weight, size) / share.clamp_min(1e-6), area(values, size))
    whole = (small[0] * _FLOW_STEPS).round().clamp(-(2**14), 2**14).to(torch.int16).numpy()
    rows = np.diff(whole, axis=2, prepend=np.zeros_like(whole[..., :1])).astype("<i2")
    return zlib.compress(rows.view(np.uint8).reshape(-1, 2).T.tobytes(), 9)


def unpack_flow(blob: bytes, shape: Sequence[int]) -> NDArray[np.float32]:
    """`FramePair.flow` of what `pack_flow` made for a frame of `shape`."""
    height, width = (-(-n // _FLOW_SHRINK) for n in shape[:2])
    halves = np.frombuffer(zlib.decompress(blob), np.uint8).reshape(2, -1)
    rows = np.ascontiguousarray(halves.T).view("<i2").reshape(2, height, width)
    whole = np.cumsum(rows, axis=2, dtype=np.int16)
    return np.ascontiguousarray(whole.transpose(1, 2, 0).astype(np.float32) / _FLOW_STEPS)


def pack_mask(visible: NDArray[np.bool_]) -> bytes:
    """(H, W) as bits, deflated."""
    return zlib.compress(np.packbits(visible).tobytes(), 9)


def unpack_mask(blob: bytes, shape: Sequence[int]) -> Pixels:
    """`FramePair.visible` of what `pack_mask` made for a frame of `shape`."""
    height, width = shape[:2]
    bits = np.unpackbits(np.frombuffer(zlib.decompress(blob), np.uint8), count=height * width)
    return np.asarray(255 * bits.reshape(height, width, 1), np.uint8)
