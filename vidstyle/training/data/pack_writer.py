"""Making a pack (`pack`): images written as WebP, motion between frames estimated once, all in files of a given size."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vidstyle.core.errors import UsageError
from vidstyle.imaging.flow import DisFlow
from vidstyle.metrics.warp_error import motion
from vidstyle.models.checkpoint import write
from vidstyle.models.vgg import VGG
from vidstyle.training.data.clips import ClipFolder
from vidstyle.training.data.images import ImageFolder
from vidstyle.training.data.pack import FORMAT, Kind, pack_digest, pack_flow, pack_mask
from vidstyle.training.recipe import Recipe, as_json

HEADER = 400_000
"""Bytes of a file that are left for its header and index."""

Blobs = dict[tuple[Kind, int], bytes]


@dataclass(frozen=True)
class PackContents:
    """What is packed."""

    content: ImageFolder
    style: ImageFolder
    clips: ClipFolder | None
    vgg: VGG
    """Only as deep as it is wanted."""
    recipe: Recipe | None = None
    credits: str = ""
    """Where the data come from, in words."""


def write_pack(
    contents: PackContents, path: Path, *, largest: int, quality: int, settings: dict[str, Any]
) -> list[Path]:
    """Write a pack: `path`, or `NAME-1-of-2.safetensors` ... beside it where one file would be larger than `largest` bytes.

    Args:
        contents: images are packed in the size that they have.
        path: ends with .safetensors.
        largest: bytes of a file.
        quality: of the WebP files, 1 to 100.
        settings: kept with the data, for whoever reads them.

    Returns:
        the files.

    Raises:
        UsageError: `largest` is less than the loss network and a few images take.
        InputError: the place cannot be written to.
    """
    images = {(Kind.PHOTO, i): x for i, x in enumerate(contents.content.images)}
    images |= {(Kind.PAINTING, i): x for i, x in enumerate(contents.style.images)}
    frames, pairs, motions = _pairs(contents.clips) if contents.clips else ([], [], {})
    images |= {(Kind.FRAME, i): x for i, x in enumerate(frames)}
    blobs = _encode(images, quality) | motions
    vgg = {f"vgg.{name}": t.half().contiguous() for name, t in contents.vgg.state_dict().items()}
    parts = _divide(blobs, vgg, largest)
    about = {
        "content": _folder(contents.content),
        "style": _folder(contents.style),
        "video": {"clips": len(contents.clips.clips), "sha256": contents.clips.digest} if contents.clips else None,
        "count": [len(contents.content.images), len(contents.style.images), len(frames)],
        "pairs": pairs,
        "clips": [len(clip) for clip in contents.clips.clips] if contents.clips else [],
        "vgg": {"layout": contents.vgg.layout, "depth": contents.vgg.depth},
        "recipe": as_json(contents.recipe) if contents.recipe else None,
        "credits": contents.credits,
        "settings": settings,
        "blobs": len(blobs),
        "parts": len(parts),
        "sha256": pack_digest(blobs),
    }
    files = [path]
    if len(parts) > 1:
        files = [path.with_name(f"{path.stem}-{i}-of-{len(parts)}{path.suffix}") for i in range(1, len(parts) + 1)]
    for file, (keys, tensors) in zip(files, parts, strict=True):
        write(_part(blobs, keys) | tensors, file, {"pack": str(FORMAT), "about": json.dumps(about)})
    return files


def part_files(path: Path) -> list[Path]:
    """The files of a pack of this name that are there."""
    return [f for f in (path, *sorted(path.parent.glob(f"{path.stem}-*-of-*{path.suffix}"))) if f.exists()]


def depth_of(network: VGG, recipe: Recipe | None) -> VGG:
    """The loss network as far as a recipe looks into it; to relu4_1 where none is given."""
    if recipe and recipe.architecture != "compact":
        return network  # the reference models take their encoder from it
    depth = max((len(s.style_layers) for s in recipe.stage if s.kind == "style"), default=4) if recipe else 4
    part = VGG(network.layout, min(network.depth, max(4, depth)))
    part.load_state_dict({name: network.state_dict()[name] for name in part.state_dict()})
    return part


def _folder(folder: ImageFolder) -> dict[str, Any]:
    return {"name": folder.path.name, "pictures": len(folder.images), "sha256": folder.digest}


def _encode(images: dict[tuple[Kind, int], NDArray[np.uint8]], quality: int) -> Blobs:
    def encoded(image: NDArray[np.uint8]) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "WEBP", quality=quality, method=5)
        return file.getvalue()

    with ThreadPoolExecutor() as pool:
        return dict(zip(images, pool.map(encoded, images.values()), strict=True))


def _pairs(clips: ClipFolder) -> tuple[list[NDArray[np.uint8]], list[tuple[int, int]], Blobs]:
    """Frames, each once; the numbers of the two of each pair; the pairs' motion, later to earlier, and what is visible."""
    numbers: dict[int, int] = {}
    frames: list[NDArray[np.uint8]] = []
    pairs: list[tuple[int, int]] = []
    blobs: Blobs = {}
    flow = DisFlow()
    for first, second in (pair for clip in clips.clips for pair in clip):
        for frame in (first, second):
            if id(frame) not in numbers:
                numbers[id(frame)] = len(frames)
                frames.append(frame)
        back = motion(flow, second, first)
        visible = back.visible.numpy()
        blobs[Kind.FLOW, len(pairs)] = pack_flow(back.flow.numpy(), visible)
        blobs[Kind.VISIBLE, len(pairs)] = pack_mask(visible)
        pairs.append((numbers[id(first)], numbers[id(second)]))
    return frames, pairs, blobs


def _divide(
    blobs: Blobs, vgg: dict[str, Tensor], largest: int
) -> list[tuple[list[tuple[Kind, int]], dict[str, Tensor]]]:
    """The keys of the blobs of each file, and its other tensors: as few files as can be, of about one size. The loss network is
    in the first."""
    room = largest - HEADER
    network = sum(t.nbytes for t in vgg.values())
    most = max((len(blob) for blob in blobs.values()), default=0)
    if network + most > room:
        raise UsageError(
            f"--max-mb {largest / 1e6:g} has no room for the loss network ({network / 1e6:.1f} MB) and an image; allow more."
        )
    total = network + sum(len(blob) for blob in blobs.values())
    count = -(-total // room)
    while True:
        parts = _fill(blobs, network, min(room, -(-total // count) + most))
        if len(parts) <= count:
            return [(keys, vgg if i == 0 else {}) for i, keys in enumerate(parts)]
        count += 1


def _fill(blobs: Blobs, first: int, room: int) -> list[list[tuple[Kind, int]]]:
    parts: list[list[tuple[Kind, int]]] = [[]]
    size = first
    for key, blob in blobs.items():
        if size + len(blob) > room:
            parts.append([])
            size = 0
        parts[-1].append(key)
        size += len(blob)
    return parts


def _part(blobs: Blobs, keys: Sequence[tuple[Kind, int]]) -> dict[str, Tensor]:
    ends = np.cumsum([len(blobs[key]) for key in keys]).tolist()
    rows = [[*key, end - len(blobs[key]), end] for key, end in zip(keys, ends, strict=True)]
    data = bytearray(b"".join(blobs[key] for key in keys))
    return {
        "bytes": torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0, dtype=torch.uint8),
        "index": torch.tensor(rows, dtype=torch.int64).reshape(-1, 4),
    }


def found_credits(folders: Iterable[Path], named: Iterable[Path]) -> str:
    """The text of files that say where data come from: those named, and SOURCES, CREDITS, ATTRIBUTION, LICENSE in a folder."""
    beside = [
        file
        for folder in folders
        for file in sorted(folder.iterdir())
        if file.is_file() and file.stem.upper() in ("SOURCES", "CREDITS", "ATTRIBUTION", "LICENSE", "LICENCE")
    ]
    return "\n\n".join(f"{f.name}\n{f.read_text(encoding='utf-8', errors='replace')}" for f in [*named, *beside])
