"""Functions of the helper that looks at files: videos and pictures are typed by opening them, never by their names."""

from __future__ import annotations

import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidstyle.core.errors import InputError
from vidstyle.imaging.image_io import read_image
from vidstyle.imaging.open_image import opened_image
from vidstyle.imaging.sizes import MIN_SIDE
from vidstyle.media.frame_at import frame_at
from vidstyle.media.input.probe import probe
from vidstyle.media.input.video_info import VideoInfo
from vidstyle.studio.configuration import UploadLimits
from vidstyle.studio.processes.helper import Functions

CONTAINERS = {
    **dict.fromkeys(("mov", "mp4", "m4a", "3gp", "3g2", "mj2"), ".mp4"),
    **{"matroska": ".mkv", "webm": ".webm", "avi": ".avi", "mpegts": ".ts", "mpeg": ".mpg", "flv": ".flv"},
    **{"asf": ".wmv", "ogg": ".ogv", "mxf": ".mxf", "gif": ".gif", "yuv4mpegpipe": ".y4m", "animated webp": ".webp"},
    **{"webp": ".webp", "dv": ".dv", "nut": ".nut"},
}
"""Demuxers that read one file and nothing beside it, with the suffix that such a file gets. Playlists (hls, concat, dash) name
other files: they are refused."""
_PLAYLISTS = (b"#EXTM3U", b"ffconcat", b"<?xml", b"<MPD", b"[playlist]", b"v=0", b"#EXT")
PICTURES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp", "GIF": ".gif", "MPO": ".jpg"}
STRIP = 12
"""Pictures of a strip."""


def functions(limits: UploadLimits) -> Functions:
    """What the helper is asked."""
    cv2.setNumThreads(1)
    seen = _Seen()
    return {
        "video": lambda path, name: video(Path(path), name, limits),
        "picture": lambda path, name: picture(Path(path), name, limits),
        "frame": lambda path, seconds, side: jpeg(seen.frame(path, seconds), side),
        "strip": lambda path: strip(seen.info(path)),
        "thumbnail": lambda ref, side: thumbnail(ref, side),
    }


class _Seen:
    """Videos that were looked at last."""

    def __init__(self) -> None:
        self.videos: OrderedDict[str, VideoInfo] = OrderedDict()

    def info(self, path: str) -> VideoInfo:
        if path not in self.videos:
            self.videos[path] = probe(Path(path))
            while len(self.videos) > 8:
                self.videos.popitem(last=False)
        return self.videos[path]

    def frame(self, path: str, seconds: float) -> NDArray[np.uint8]:
        return frame_at(self.info(path), seconds).data


def video(path: Path, name: str, limits: UploadLimits) -> dict[str, Any]:
    """What a video is, with the suffix that its file is to get. Raises InputError where it is none that is taken."""
    try:
        with path.open("rb") as file:
            head = file.read(64).lstrip()
    except OSError as error:
        raise InputError(f"{name}: cannot be read.") from error
    if head.startswith(_PLAYLISTS):
        raise InputError(f"{name}: is a playlist or a text, not a video; give the video itself.")
    info = _named(lambda: probe(path), path, name)
    suffix = next((CONTAINERS[c] for c in info.container.split(",") if c in CONTAINERS), None)
    if "matroska" in info.container and path.suffix == ".webm":
        suffix = ".webm"
    if suffix is None:
        raise InputError(f"{name}: is a {info.container} file, which is not taken here; convert it to MP4 or Matroska.")
    if min(info.width, info.height) < MIN_SIDE:
        raise InputError(f"{name}: is {info.width}x{info.height}; both sides must be at least {MIN_SIDE} pixels.")
    if info.width * info.height > limits.video_pixels:
        raise InputError(f"{name}: its frames are {info.width}x{info.height}; make them smaller first.")
    if info.duration and info.duration > limits.video_seconds:
        raise InputError(
            f"{name}: lasts {info.duration / 3600:.1f} hours; {limits.video_seconds / 3600:g} are taken here. Cut it first."
        )
    rate = float(info.average_rate) if info.average_rate else None
    seconds = info.duration or (info.frames / rate if info.frames and rate else None)
    return {
        "width": info.width,
        "height": info.height,
        "seconds": seconds,
        "frames": info.frames,
        "rate": rate,
        "codec": info.codec,
        "sound": any(s.type == "audio" for s in info.streams),
        "warnings": [w.replace(str(path), name) for w in info.warnings],
        "suffix": suffix,
    }


def picture(path: Path, name: str, limits: UploadLimits) -> dict[str, Any]:
    """What a picture is. Raises InputError where it is none that is taken."""

    def look() -> dict[str, Any]:
        with opened_image(path) as image:
            kind = image.format or ""
            if kind not in PICTURES:
                raise InputError(f"{path}: is a {kind} picture, which is not taken here; convert it to JPEG or PNG.")
            if image.width * image.height > limits.picture_pixels:
                raise InputError(f"{path}: has {image.width}x{image.height} pixels; make it smaller first.")
            if min(image.size) < 16:
                raise InputError(f"{path}: is {image.width}x{image.height}; both sides must be at least 16 pixels.")
            size = image.size
        read_image(path, short_side=64)  # its samples can be read, too
        return {"width": size[0], "height": size[1], "suffix": PICTURES[kind]}

    found: dict[str, Any] = _named(look, path, name)
    return found


def _named(work: Any, path: Path, name: str) -> Any:
    """The work's result; failures speak of the name that the user knows."""
    try:
        return work()
    except InputError as error:
        raise InputError(str(error).replace(str(path), name)) from None


def fitted_into(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """The picture with its longer side at most `side`."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def jpeg(image: NDArray[np.uint8], side: int | None = None, quality: int = 90) -> bytes:
    """An RGB picture as JPEG, shrunk where its longer side is more than `side`."""
    shown = image if side is None else fitted_into(image, side)
    bgr = cv2.cvtColor(np.ascontiguousarray(shown), cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


def strip(info: VideoInfo, height: int = 54) -> bytes:
    """STRIP frames of a video side by side, evenly spread, as JPEG."""
    width = max(16, min(4 * height, round(height * info.width / info.height * float(info.sample_aspect_ratio))))
    seconds = info.duration or 0
    cells = []
    last = np.zeros((height, width, 3), np.uint8)
    for i in range(STRIP):
        try:
            picture = frame_at(info, seconds * (i + 0.5) / STRIP).data
            last = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
        except InputError:
            pass  # damage, or a video that is shorter than it says: the picture before stands in
        cells.append(last)
        if not math.isfinite(seconds) or seconds <= 0:
            cells = cells * STRIP
            break
    return jpeg(np.hstack(cells), None, 75)


def thumbnail(ref: str, side: int) -> bytes:
    """A style's picture, small, as JPEG: of a built-in name or a file."""
    from vidstyle.styles import gallery

    return jpeg(gallery.load(ref) if ref in gallery.DESCRIPTIONS else read_image(Path(ref), short_side=side), side, 85)
