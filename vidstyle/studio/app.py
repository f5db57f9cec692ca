"""The studio as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from vidstyle._version import __version__
from vidstyle.core.errors import VidstyleError
from vidstyle.studio.api import camera, events, previews, queue, uploads
from vidstyle.studio.configuration import StudioConfiguration
from vidstyle.studio.guard import Guard
from vidstyle.studio.library import TooLarge
from vidstyle.studio.state import NotFound, Studio

_PAGE = Path(__file__).parent / "page"
_ABOUT = """Videos painted in the style of a picture. Send a video, start a job, follow it, fetch the result.

An id is a secret: who has it has what it names. Errors are `{"detail": "one sentence"}`.
"""


def create_app(configuration: StudioConfiguration) -> FastAPI:
    """The application. Its studio starts and ends with it.

    Raises:
        UsageError: another studio works in the folder.
        InputError: the folder cannot be made.
    """
    studio = Studio(configuration)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        studio.start()
        try:
            yield
        finally:
            studio.close()

    app = FastAPI(
        title="vidstyle studio",
        version=__version__,
        description=_ABOUT,
        lifespan=life,
        docs_url=None,  # these pages fetch scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    app.state.studio = studio
    app.add_middleware(Guard, configuration=configuration)
    app.add_exception_handler(VidstyleError, told)
    for module in (uploads, previews, queue, events, camera):
        app.include_router(module.router, prefix="/api")
    app.mount("/page", StaticFiles(directory=_PAGE))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_PAGE / "index.html", headers={"Cache-Control": "no-cache"})

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> FileResponse:
        return FileResponse(_PAGE / "icon.svg", media_type="image/svg+xml")

    return app


async def told(_: Request, error: Exception) -> JSONResponse:
    """A failure that a user can meet, as one sentence."""
    status = 404 if isinstance(error, NotFound) else 413 if isinstance(error, TooLarge) else 422
    return JSONResponse({"detail": str(error)}, status)
