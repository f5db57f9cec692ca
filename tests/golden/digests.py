"""What is kept of an output: what it shows (decoded frames with their times, pixels, numbers), and its bytes."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image
from safetensors import safe_open

FILMS = (".mp4", ".mkv", ".webm", ".gif")


def of(path: Path) -> dict[str, Any]:
    """What is kept of a file, or of the files in a folder by name."""
    if path.is_dir():
        return {file.name: of(file) for file in sorted(path.iterdir())}
    if path.suffix in FILMS:
        return {**_film(path), "file": _short(path.read_bytes())}
    if path.suffix == ".png":
        with Image.open(path) as picture:
            pixels = np.asarray(picture)
        return {"size": list(pixels.shape), "pixels": _short(pixels.tobytes()), "file": _short(path.read_bytes())}
    if path.suffix == ".json":
        numbers: dict[str, Any] = json.loads(path.read_text())
        return numbers
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return {name: _short("\n".join(row[name] for row in rows).encode()) for name in rows[0]}
    if path.suffix == ".safetensors":
        return _tensors(path)
    if path.suffix == ".xml":  # an OpenVINO graph: names of layers are those of our modules, and may change
        return _graph(path)
    return {"file": _short(path.read_bytes())}


def differences(wanted: Any, found: Any, where: str = "") -> list[str]:
    """Where `found` is not as `wanted`, a sentence each. Keys that only `found` has are no difference: a report may grow."""
    if not (isinstance(wanted, dict) and isinstance(found, dict)):
        return [] if wanted == found else [f"{where}: {found!r} instead of {wanted!r}"]
    out = []
    for key, value in wanted.items():
        out += differences(value, found.get(key), f"{where}/{key}")
    return out


def _short(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:24]


def _film(path: Path) -> dict[str, Any]:
    pictures, sound, times = hashlib.sha256(), hashlib.sha256(), []
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        about = [video.codec_context.name, f"{video.width}x{video.height}", video.codec_context.pix_fmt]
        video.thread_count = 1
        for packet in container.demux():
            if packet.stream.type == "audio":
                sound.update(f"{packet.pts} {packet.duration}".encode() + bytes(packet))
                continue
            for frame in packet.decode() if packet.stream is video else ():
                assert isinstance(frame, av.VideoFrame)
                plain = frame.reformat(format="bgr24") if frame.format.name == "bgr0" else frame
                pictures.update(plain.to_ndarray().tobytes())
                times.append(str((frame.pts or 0) * (frame.time_base or 0)))
    return {"video": about, "times": times, "frames": pictures.hexdigest()[:24], "sound": sound.hexdigest()[:24]}


def _tensors(path: Path) -> dict[str, Any]:
    """Names, values and metadata: safetensors writes its metadata in an order of its own, other from run to run."""
    with safe_open(path, framework="numpy") as file:
        names = sorted(file.keys())
        values = {name: _short(np.ascontiguousarray(file.get_tensor(name)).tobytes()) for name in names}
        return {"tensors": values, "metadata": dict(sorted((file.metadata() or {}).items()))}


def _graph(path: Path) -> dict[str, Any]:
    import openvino

    graph = openvino.Core().read_model(path)

    def told(ports: list[Any]) -> list[str]:
        return [f"{'|'.join(sorted(p.names))} {p.partial_shape} {p.element_type}" for p in ports]

    return {"inputs": told(graph.inputs), "outputs": told(graph.outputs)}
