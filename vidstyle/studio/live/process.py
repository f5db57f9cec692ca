"""The process that paints a browser's camera, and the server's end of it: JPEG in, JPEG out, one frame a painter on the way."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vidstyle.studio.live.pool import Painted

Answer = Callable[[dict[str, Any]], None]
_QUALITY = 82
"""Of the JPEG that is sent back."""
MOST_PIXELS = 1920 * 1080


class LiveProcess:
    """Paints for one camera at a time.

    Args:
        settings: model, engine, device.
        answer: given {painted: jpeg, number, size, seconds}, {free: how many frames it would take} or {error}; from a thread.
    """

    def __init__(self, settings: tuple[str, str, str], answer: Answer) -> None:
        context = multiprocessing.get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, settings), daemon=True)
        self._process.start()
        theirs.close()
        self._answer = answer
        self._sending = threading.Lock()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def send(self, what: dict[str, Any]) -> None:
        """{frame: jpeg, number} or {styles: [(ref, weight)], strength}."""
        with self._sending:
            try:
                self._line.send(what)
            except OSError:
                self._answer({"error": "the painter has ended; start the camera again."})

    def close(self) -> None:
        self._process.kill()
        self._process.join(5)
        self._line.close()

    def _listen(self) -> None:
        while True:
            try:
                self._answer(self._line.recv())
            except (EOFError, OSError):
                self._answer({"error": "the painter has ended; start the camera again."})
                return


def _serve(line: Connection[Any, Any], settings: tuple[str, str, str]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import cv2
    import numpy as np

    from vidstyle.core.errors import VidstyleError
    from vidstyle.studio.live.pool import LivePool

    cv2.setNumThreads(1)
    out: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def show(done: Painted) -> None:
        bgr = cv2.cvtColor(done.picture, cv2.COLOR_RGB2BGR)
        good, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if good:
            out.put(
                {"painted": data.tobytes(), "number": done.number, "size": done.paint_size, "seconds": done.seconds}
            )

    def failed(work: Future[None]) -> None:
        if (error := work.exception()) is not None:
            out.put({"error": str(error)})

    def send() -> None:
        while True:
            try:
                line.send(out.get())
            except OSError:
                os._exit(0)

    threading.Thread(target=send, daemon=True).start()
    try:
        pool = LivePool(*settings, show)
        out.put({"free": pool.workers})
        while True:
            what = line.recv()
            if "styles" in what:
                pool.style(what["styles"], what["strength"]).add_done_callback(failed)
                continue
            image = cv2.imdecode(np.frombuffer(what["frame"], np.uint8), cv2.IMREAD_COLOR)
            if image is None or min(image.shape[:2]) < 16 or image.shape[0] * image.shape[1] > MOST_PIXELS:
                out.put({"error": "what came is no JPEG of a camera's size."})
                continue
            pool.offer(what["number"], np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8))
            if pool.error:
                out.put({"error": pool.error})
    except VidstyleError as error:
        line.send({"error": str(error)})
        time.sleep(0.2)
    except (EOFError, OSError):
        os._exit(0)
