"""What every route asks for: the studio, and who is asking."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection

from vidstyle.studio.state import Studio


def studio_of(connection: HTTPConnection) -> Studio:
    return cast(Studio, connection.app.state.studio)


def client_of(connection: HTTPConnection) -> str:
    return cast(str, connection.state.client)


TheStudio = Annotated[Studio, Depends(studio_of)]
TheClient = Annotated[str, Depends(client_of)]
