"""The studio: how soon a frame is painted after a change, and how a camera is painted (rate of distinct frames, latency).

    python -m benchmarks.studio [--quick] [--out DIR] [--seconds S]

A server is started as a user would start it. Previews: from the request to the last byte of the answer, each with something
changed (style, moment, strength, painting size), after one that warms up. The camera is a websocket client without a browser,
480x270, that draws a counter into each frame: what comes back is read from the picture, so a frame that is repeated does not
count twice, and latency is from the drawing of a frame to its counter's return. Client and server share the processor.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import websockets
from numpy.typing import NDArray

from benchmarks.films import texture, write
from benchmarks.record import environment, options, save

WIDTH, HEIGHT, BITS = 480, 270, 12
INTERVAL = 1 / 32
"""Seconds between two frames of the camera."""


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="that the camera is measured for")
    wish = parser.parse_args()
    machine = environment()
    with tempfile.TemporaryDirectory() as folder:
        server, address = started(Path(folder))
        try:
            rows = [*previews(address, Path(folder), 2 if wish.quick else 6)]
            rows.append(asyncio.run(camera(address, 30.0 if wish.quick else 60.0, wish.seconds)))
        finally:
            server.terminate()
            server.wait(20)
    print(save(wish.out, "studio", rows, machine))


def started(folder: Path) -> tuple[subprocess.Popen[str], str]:
    """A server in a folder of its own, and its address."""
    command = [sys.executable, "-m", "vidstyle", "studio", "--port", "0", "--folder", str(folder / "studio")]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert server.stderr is not None
    address = server.stderr.readline().split()[2].rstrip("/")
    return server, address


def asked(address: str, path: str, data: bytes | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(f"{address}/api{path}", data, headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        return bytes(answer.read())


def previews(address: str, folder: Path, repeats: int) -> list[dict[str, Any]]:
    """Seconds from a change to the painted frame, of a 720p video."""
    video = folder / "video.mp4"
    write(video, texture(1280, 720, 50), Fraction(25))
    key = json.loads(asked(address, "/videos", video.read_bytes(), **{"X-Filename": "video.mp4"}))["id"]

    def paint(style: str = "mosaic", seconds: float = 0.0, **settings: Any) -> float:
        wish = {"video": key, "seconds": seconds, "settings": {"styles": [{"style": style}], **settings}}
        begun = time.perf_counter()
        asked(address, "/preview", json.dumps(wish).encode(), **{"Content-Type": "application/json"})
        return time.perf_counter() - begun

    begun = time.perf_counter()
    paint()
    first = time.perf_counter() - begun
    paint()
    changes: dict[str, list[float]] = {
        "another style": [paint(style) for style in ("cubist", "woodcut-waves", "risograph", "geometric")[:repeats]],
        "the same style again": [paint("cubist") for _ in range(repeats)],
        "another moment": [paint(seconds=0.2 * (i + 1)) for i in range(repeats)],
        "another strength": [paint(strength=0.9 - 0.1 * i) for i in range(repeats)],
        "a broader brush (240)": [paint(paint_size=240, detail=1 - 0.1 * i) for i in range(repeats)],
        "other detail": [paint(detail=0.9 - 0.1 * i) for i in range(repeats)],
    }
    rows: list[dict[str, Any]] = [{"what": "first preview of a fresh server", "seconds": round(first, 3)}]
    for what, taken in changes.items():
        rows.append({"what": what, "seconds": round(statistics.median(taken), 3), "slowest": round(max(taken), 3)})
    for row in rows:
        print(f"{row['what']:32} {row['seconds']:6.2f} s", flush=True)
    return rows


def drawn(number: int) -> NDArray[np.uint8]:
    """Frame `number` of the camera, (270, 480, 3) uint8 BGR: something that moves, its number in black and white squares."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    frame = np.stack([x * 255 // WIDTH, y * 255 // HEIGHT, (x + 3 * number) % 256], -1).astype(np.uint8)
    side = WIDTH // BITS
    for bit in range(BITS):
        frame[:side, bit * side : (bit + 1) * side] = 255 * (number >> bit & 1)
    return frame


def counter(frame: NDArray[np.uint8]) -> int:
    """The number in a painted frame."""
    side, edge = WIDTH // BITS, 10
    cells = [frame[edge : side - edge, b * side + edge : (b + 1) * side - edge].mean() for b in range(BITS)]
    middle = (min(cells) + max(cells)) / 2
    return sum(1 << b for b, value in enumerate(cells) if value > middle)


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert frame is not None
    return frame.astype(np.uint8)


async def camera(address: str, warm: float, seconds: float) -> dict[str, Any]:
    """A camera for `warm` seconds, then measured for `seconds`."""
    came: list[tuple[float, int, float]] = []
    sizes: list[int] = []
    async with websockets.connect(f"ws{address[4:]}/api/live", max_size=1 << 23, compression=None) as line:
        await line.send(json.dumps({"styles": [{"style": "mosaic"}]}))
        ready, back = 0, 0
        taken: dict[int, float] = {}

        async def film() -> None:
            number, due = 0, time.monotonic()
            while True:
                due = max(time.monotonic(), due + INTERVAL)
                await asyncio.sleep(due - time.monotonic())
                if not ready or number - back > ready:  # what a newer one overtook does not come back
                    continue
                number += 1
                taken[number] = time.monotonic()
                data = cv2.imencode(".jpg", drawn(number), [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
                await line.send(struct.pack(">Q", number) + data)

        filming = asyncio.create_task(film())
        begun: float | None = None
        async for message in line:
            now = time.monotonic()
            if isinstance(message, str):
                news = json.loads(message)
                ready = news.get("ready", ready)
                sizes += [news["paint_size"]] if "paint_size" in news and begun and now - begun > warm else []
            else:
                begun = begun or now
                back = max(back, struct.unpack(">Q", message[:8])[0])
                number = counter(decoded(message[8:]))
                if now - begun > warm and number in taken:
                    came.append((now, number, now - taken[number]))
            if begun and now - begun > warm + seconds:
                break
        filming.cancel()
    latencies = sorted(latency for _, _, latency in came)
    row = {
        "what": f"camera of {WIDTH}x{HEIGHT} over a websocket",
        "distinct_fps": round(len({number for _, number, _ in came}) / seconds, 1),
        "latency_ms": round(1000 * statistics.median(latencies)),
        "latency_p95_ms": round(1000 * latencies[int(0.95 * len(latencies))]),
        "paint_size": statistics.median(sizes),
        "seconds": seconds,
    }
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
