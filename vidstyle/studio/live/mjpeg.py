"""What is painted as a page on this machine: Motion JPEG, which every browser and OBS show."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from html import escape
from pathlib import Path

import cv2
import numpy as np
import uvicorn
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from vidstyle.studio.configuration import StudioConfiguration
from vidstyle.studio.guard import Guard
from vidstyle.studio.serve import bound

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>vidstyle live</title>
<body><h1>vidstyle live</h1><img src="/stream.mjpeg" alt="What is painted now">%s</body></html>"""
_PART = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"


class MjpegPage:
    """A page that shows the newest picture. Served from a thread until `close`.

    Args:
        port: on 127.0.0.1; 0 is any that is free.
        messages: addresses of OSC that are listened to, with what they take; told on the page.

    Raises:
        InputError: the port is taken.
    """

    def __init__(self, port: int = 0, messages: Mapping[str, str] | None = None) -> None:
        listener = bound("127.0.0.1", port)
        listener.listen()  # from now on who connects waits for the server's start, and is not refused
        self.port: int = listener.getsockname()[1]
        self._newest: tuple[int, bytes] = (0, b"")
        rows = "".join(f"<dt>{escape(a)}</dt><dd>{escape(t)}</dd>" for a, t in (messages or {}).items())
        self._text = _PAGE % (f"<h2>OSC messages</h2><dl>{rows}</dl>" if rows else "")
        routes = [Route("/", self._page), Route("/stream.mjpeg", self._stream)]
        app = Starlette(routes=routes)
        app.add_middleware(Guard, configuration=StudioConfiguration(Path(), port=self.port))
        settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(settings)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Show a picture, (H, W, 3) uint8 RGB."""
        done, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
        if done:
            self._newest = (self._newest[0] + 1, data.tobytes())

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(5)

    async def _page(self, _: Request) -> Response:
        return HTMLResponse(self._text)

    async def _stream(self, request: Request) -> Response:
        async def parts() -> AsyncIterator[bytes]:
            seen = 0
            while not await request.is_disconnected():
                number, data = self._newest
                if number == seen:
                    await asyncio.sleep(0.005)
                    continue
                seen = number
                yield _PART % len(data) + data + b"\r\n"

        return StreamingResponse(parts(), media_type="multipart/x-mixed-replace; boundary=frame")
