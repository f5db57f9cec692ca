"""Videos, pictures and the gallery."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote

import anyio
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import FileResponse

from vidstyle._version import __version__
from vidstyle.core.errors import InputError
from vidstyle.studio.api.access import TheClient, TheStudio
from vidstyle.studio.library import Kind
from vidstyle.studio.schema import PathRequest
from vidstyle.studio.state import LOOK_SECONDS, NotFound
from vidstyle.styles.gallery import DESCRIPTIONS

router = APIRouter()
Name = Annotated[str, Header(alias="X-Filename", description="The file's name, percent-encoded where it is not ASCII.")]
KEPT = {"Cache-Control": "private, max-age=86400"}
"""Of pictures that never change under their address."""


@router.get("/info")
async def info(studio: TheStudio) -> dict[str, Any]:
    """What this studio takes, and keeps for how long."""
    configuration = studio.configuration
    limits = configuration.limits
    return {
        "version": __version__,
        "video_bytes": limits.video_bytes,
        "video_seconds": limits.video_seconds,
        "picture_bytes": limits.picture_bytes,
        "keep_hours": limits.keep_hours,
        "paths": bool(configuration.allowed),
    }


@router.get("/styles")
async def styles(studio: TheStudio, client: TheClient) -> list[dict[str, Any]]:
    """The built-in styles and this browser's own pictures; what has been learned comes first."""
    held = {path.stem for path in studio.fitted.glob("*.safetensors")}

    def sizes(style: str) -> list[str]:
        return sorted(stem.removeprefix(f"{style}-") for stem in held if stem.startswith(f"{style}-"))

    mine = [
        {
            "style": item.id,
            "name": Path(item.name).stem,
            "about": "your picture",
            "own": True,
            "learned": sizes(item.id),
        }
        for item in studio.library.items(client)
        if item.kind == "picture"
    ]
    gallery = [
        {"style": name, "name": name.replace("-", " "), "about": text, "own": False, "learned": sizes(name)}
        for name, text in DESCRIPTIONS.items()
    ]
    return sorted([*mine, *gallery], key=lambda style: (not style["own"], not style["learned"]))


@router.get("/styles/{style}/thumbnail", response_class=Response)
async def thumbnail(studio: TheStudio, style: str, side: Annotated[int, Query(ge=32, le=512)] = 192) -> Response:
    """A style's picture, small."""
    ref, _ = studio.style_ref(style)
    data = await anyio.to_thread.run_sync(studio.inspector.call, "thumbnail", ref, side)
    return Response(data, media_type="image/jpeg", headers=KEPT)


@router.post("/videos", status_code=201)
async def add_video(studio: TheStudio, client: TheClient, request: Request, name: Name = "video") -> dict[str, Any]:
    """Send a video: the file is the body. `curl -T video.mp4 -X POST -H 'X-Filename: video.mp4' .../api/videos`."""
    return await _received(studio, client, request, "video", name)


@router.post("/pictures", status_code=201)
async def add_picture(studio: TheStudio, client: TheClient, request: Request, name: Name = "picture") -> dict[str, Any]:
    """Send a picture, a style or a mask: the file is the body."""
    return await _received(studio, client, request, "picture", name)


async def _received(studio: TheStudio, client: str, request: Request, kind: Kind, name: str) -> dict[str, Any]:
    limits = studio.configuration.limits
    most = limits.video_bytes if kind == "video" else limits.picture_bytes
    if int(request.headers.get("content-length") or 0) > most:
        from vidstyle.studio.library import TooLarge

        raise TooLarge(f"this is larger than {most / 2**20:,.0f} MiB, the most that is taken here.")
    item = await studio.library.receive(request.stream(), kind, unquote(name), client)
    return item.told()


@router.post("/videos/path", status_code=201)
async def add_path(studio: TheStudio, client: TheClient, wish: PathRequest) -> dict[str, Any]:
    """Use a video that lies on this machine, in a folder that was allowed when the studio was started."""
    allowed = studio.configuration.allowed
    if not allowed:
        raise InputError("paths are not taken here; start the studio with --allow-path DIR, or send the video.")
    path = await anyio.to_thread.run_sync(lambda: Path(wish.path).expanduser().resolve())
    if not any(path.is_relative_to(folder.resolve()) for folder in allowed) or not path.is_file():
        raise InputError(f"{wish.path[:200]}: there is no such file in the folders that were allowed.")
    item = await anyio.to_thread.run_sync(studio.library.add_path, path, client)
    return item.told()


@router.get("/videos")
async def videos(studio: TheStudio, client: TheClient) -> list[dict[str, Any]]:
    """This browser's videos, the newest first."""
    return [item.told() for item in studio.library.items(client) if item.kind == "video"]


@router.get("/videos/{key}")
async def video(studio: TheStudio, key: str) -> dict[str, Any]:
    """What a video is."""
    return studio.item(key, "video").told()


@router.get("/videos/{key}/file", response_class=FileResponse)
async def video_file(studio: TheStudio, key: str) -> FileResponse:
    """The video itself, for a player."""
    item = studio.item(key, "video")
    return FileResponse(item.path, filename=item.name, content_disposition_type="inline")


@router.get("/videos/{key}/frame", response_class=Response)
async def frame(
    studio: TheStudio,
    key: str,
    seconds: Annotated[float, Query(ge=0, le=1e6)] = 0.0,
    side: Annotated[int, Query(ge=64, le=2048)] = 1280,
) -> Response:
    """A frame of a video as it is, JPEG."""
    item = studio.item(key, "video")
    data = await anyio.to_thread.run_sync(studio.inspector.call, "frame", str(item.path), seconds, side)
    return Response(data, media_type="image/jpeg", headers=KEPT)


@router.get("/videos/{key}/strip", response_class=Response)
async def strip(studio: TheStudio, key: str) -> Response:
    """A row of 12 frames, evenly spread over the video, JPEG."""
    item = studio.item(key, "video")
    data = await anyio.to_thread.run_sync(lambda: studio.inspector.call("strip", str(item.path), timeout=LOOK_SECONDS))
    return Response(data, media_type="image/jpeg", headers=KEPT)


@router.delete("/videos/{key}", status_code=204)
@router.delete("/pictures/{key}", status_code=204)
async def remove(studio: TheStudio, key: str) -> None:
    """Delete a video or a picture."""
    if studio.library.get(key) is None:
        raise NotFound("there is nothing of this id (any more).")
    if key in {k for j in studio.table.jobs(states=("queued", "running")) for k in j.videos}:
        raise InputError("a job still needs this; cancel the job first.")
    await anyio.to_thread.run_sync(studio.library.remove, key)
