"""A camera over a websocket.

The newest frame that was sent always comes back, sooner or later; older ones that it overtook do not.

    to the studio      text: {"styles": [{"style": "mosaic"}], "strength": 1, "learned": true}, first, and whenever it changes
                       binary: 8 bytes that come back as they are, then a frame as JPEG
    from the studio    text: {"ready": 2} once, how many frames may be on the way; {"rate", "paint_size"} twice a
                       second; {"error"}
                       binary: the 8 bytes of the frame, then the painted frame as JPEG

Both sides keep the newest frame only.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from vidstyle.core.errors import VidstyleError
from vidstyle.studio.api.access import client_of, studio_of
from vidstyle.studio.live.process import LiveProcess
from vidstyle.studio.schema import LiveSettings, PaintSettings
from vidstyle.studio.state import Studio

router = APIRouter()
_TAG = 8
"""Bytes before a frame."""
_LARGEST = 2 << 20
"""Bytes of a frame."""
_TELL = 0.5
"""Seconds between two reports."""


class CameraSession:
    """One camera: the newest frame that came, the newest that is painted, and what has been measured."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.loop = asyncio.get_running_loop()
        self.news = asyncio.Event()
        self.came: tuple[int, bytes] | None = None
        self.done: tuple[bytes, bytes] | None = None
        self.says: deque[dict[str, Any]] = deque(maxlen=8)
        self.tags: dict[int, bytes] = {}
        self.number = self.on_the_way = self.free = self.size = 0
        self.times: deque[float] = deque(maxlen=50)
        where = studio.configuration
        self.process = LiveProcess((where.model, where.engine, where.device), self.answered)

    def answered(self, what: dict[str, Any]) -> None:
        self.loop.call_soon_threadsafe(self.note, what)

    def note(self, what: dict[str, Any]) -> None:
        """Something came from the painter."""
        if "free" in what:
            self.free = what["free"]
            self.says.append({"ready": self.free})
        elif "painted" in what:
            number = what["number"]
            # Frames that this one overtook will not come any more.
            overtaken = [n for n in self.tags if n <= number]
            self.done = (self.tags[number], what["painted"]) if number in self.tags else self.done
            for n in overtaken:
                del self.tags[n]
            self.on_the_way = max(0, self.on_the_way - len(overtaken))
            self.size = what["size"]
            self.times.append(time.monotonic())
            self.pass_on()
        else:
            self.says.append(what)
        self.news.set()

    def frame(self, data: bytes) -> None:
        """A frame came from the camera: it takes the place of one that still waits."""
        if not _TAG < len(data) <= _LARGEST:
            self.says.append({"error": "a frame is 8 bytes and a JPEG of at most 2 MiB."})
            self.news.set()
            return
        self.number += 1
        self.came = (self.number, data)
        self.pass_on()

    def pass_on(self) -> None:
        if self.came is not None and self.on_the_way < self.free:
            (number, data), self.came = self.came, None
            self.tags[number] = data[:_TAG]
            self.on_the_way += 1
            self.process.send({"frame": data[_TAG:], "number": number})

    def change(self, text: str) -> None:
        """Other styles, another strength."""
        try:
            wish = LiveSettings.model_validate_json(text)
            settings = PaintSettings(styles=wish.styles, learned=wish.learned, paint_size=240)
            look = self.studio.look(settings)
            self.process.send({"styles": [tuple(s) for s in look["styles"]], "strength": wish.strength})
        except ValidationError as error:
            self.says.append({"error": f"settings: {error.errors()[0]['msg']}"})
        except VidstyleError as error:
            self.says.append({"error": str(error)})
        self.news.set()

    @property
    def rate(self) -> float:
        """Frames painted a second, of late."""
        now = time.monotonic()
        recent = [t for t in self.times if now - t < 2]
        return len(recent) / max(0.5, now - recent[0]) if len(recent) > 1 else 0.0


@router.websocket("/live")
async def live(socket: WebSocket) -> None:
    """See the module's docstring. One camera at a time."""
    studio = studio_of(socket)
    client_of(socket)
    await socket.accept()
    if studio.camera_in_use:
        await socket.send_text(json.dumps({"error": "another camera is being painted here; only one can be."}))
        await socket.close()
        return
    studio.camera_in_use = True
    session = CameraSession(studio)
    speaking = asyncio.create_task(_speak(socket, session))
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if (data := message.get("bytes")) is not None:
                session.frame(data)
            else:
                session.change(message.get("text") or "")
    except (WebSocketDisconnect, RuntimeError):
        return
    finally:
        speaking.cancel()
        await asyncio.to_thread(session.process.close)
        studio.camera_in_use = False


async def _speak(socket: WebSocket, session: CameraSession) -> None:
    told = 0.0
    while True:
        await session.news.wait()
        session.news.clear()
        while session.says:
            await socket.send_text(json.dumps(session.says.popleft()))
        if session.done is not None:
            (tag, picture), session.done = session.done, None
            await socket.send_bytes(tag + picture)
        if session.size and time.monotonic() - told > _TELL:
            told = time.monotonic()
            await socket.send_text(json.dumps({"rate": round(session.rate, 1), "paint_size": session.size}))
