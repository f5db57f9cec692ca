"""Server-sent events: how jobs are going, as it changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from vidstyle.studio.api.access import TheClient, TheStudio
from vidstyle.studio.api.queue import job_of
from vidstyle.studio.jobs import ENDED, JobRow

router = APIRouter()
_EVERY = 0.25
"""Seconds between two looks at the table."""
_QUIET = 15.0
"""Seconds after which a comment says that the line is open."""


def stream(request: Request, jobs: Callable[[], list[JobRow]], *, ends: bool) -> StreamingResponse:
    """Events of some jobs: `job` with a job's state, now and whenever it changes; `gone` with the id of one that was deleted.

    Args:
        ends: end with the last job.
    """

    async def events() -> AsyncIterator[str]:
        told: dict[str, int] = {}
        silent = 0.0
        yield "retry: 1000\n\n"
        while not await request.is_disconnected():
            now = await anyio.to_thread.run_sync(jobs)
            lines = [_event("job", job.told()) for job in now if told.get(job.id) != job.version]
            lines += [_event("gone", {"id": key}) for key in told.keys() - {job.id for job in now}]
            told = {job.id: job.version for job in now}
            silent = 0.0 if lines else silent + _EVERY
            if silent > _QUIET:
                lines, silent = [": still here\n\n"], 0.0
            if lines:
                yield "".join(lines)
            if ends and all(job.state in ENDED for job in now):
                return
            await anyio.sleep(_EVERY)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _event(kind: str, data: dict[str, Any]) -> str:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n"


@router.get("/events", response_class=StreamingResponse)
async def all_events(studio: TheStudio, client: TheClient, request: Request) -> StreamingResponse:
    """Events of all this client's jobs, without end."""
    return stream(request, lambda: studio.table.jobs(client), ends=False)


@router.get("/jobs/{key}/events", response_class=StreamingResponse)
async def job_events(studio: TheStudio, key: str, request: Request) -> StreamingResponse:
    """Events of one job, until it has ended."""
    job_of(studio, key)

    def current() -> list[JobRow]:
        job = studio.table.get(key)
        return [] if job is None else [job]

    return stream(request, current, ends=True)
