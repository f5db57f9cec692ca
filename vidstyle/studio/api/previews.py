"""A painted frame, as quickly as it can be had."""

from __future__ import annotations

from typing import Any

import anyio
from fastapi import APIRouter, HTTPException, Response

from vidstyle.studio.api.access import TheClient, TheStudio
from vidstyle.studio.schema import PreviewRequest
from vidstyle.studio.state import PAINT_SECONDS

router = APIRouter()


@router.post("/preview", response_class=Response)
async def preview(studio: TheStudio, client: TheClient, wish: PreviewRequest) -> Response:
    """A painted frame, JPEG. A request that is overtaken by a newer one of the same client is answered with 409.

    Headers: X-Milliseconds (that it took), X-Painted (width x height at which it was painted), X-Learned (of each style 1 where
    what was learned was used).
    """
    video = studio.item(wish.video, "video")
    look = studio.look(wish.settings, video)
    newest = studio.newest
    mine = newest.ask(client)
    async with newest.turn:
        if newest.overtaken(client, mine):
            raise HTTPException(409, "a newer preview was asked for.")
        done: dict[str, Any] = await anyio.to_thread.run_sync(
            lambda: studio.painter.call("paint", str(video.path), wish.seconds, wish.side, look, timeout=PAINT_SECONDS)
        )
    headers = {
        "X-Milliseconds": str(done["milliseconds"]),
        "X-Painted": f"{done['width']}x{done['height']}",
        "X-Learned": "".join("1" if learned else "0" for learned in look["learned"]),
    }
    return Response(done["jpeg"], media_type="image/jpeg", headers=headers)
