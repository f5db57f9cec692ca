"""Jobs: submit, status, result, cancel, resume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Body, HTTPException
from fastapi.responses import FileResponse

from vidstyle.studio.api.access import TheClient, TheStudio
from vidstyle.studio.jobs import JobRow
from vidstyle.studio.schema import JobRequest
from vidstyle.studio.state import NotFound, Studio

router = APIRouter()


def job_of(studio: Studio, key: str) -> JobRow:
    """The job of a key. Raises NotFound."""
    job = studio.table.get(key)
    if job is None:
        raise NotFound("there is no job of this id (any more).")
    return job


@router.post("/jobs", status_code=201)
async def submit(studio: TheStudio, client: TheClient, wish: Annotated[JobRequest, Body()]) -> dict[str, Any]:
    """Queue a job: `render` a video, a moving `loop` of it, `fit` a style, `evaluate` a result. Its id is all that is needed to
    follow it from anywhere."""
    job = await anyio.to_thread.run_sync(studio.submit, wish, client)
    return job.told()


@router.get("/jobs")
async def jobs(studio: TheStudio, client: TheClient) -> list[dict[str, Any]]:
    """This client's jobs, the oldest first."""
    return [job.told() for job in studio.table.jobs(client)]


@router.get("/jobs/{key}")
async def status(studio: TheStudio, key: str) -> dict[str, Any]:
    """How a job is going: state (queued, running, done, failed, cancelled), frames done and in total, frames per second,
    seconds left, report."""
    return job_of(studio, key).told()


@router.get("/jobs/{key}/result", response_class=FileResponse)
async def result(studio: TheStudio, key: str, download: bool = False) -> FileResponse:
    """The video that a job made."""
    job = job_of(studio, key)
    path = studio.table.result(job) if job.state == "done" else None
    if path is None:
        raise NotFound("this job has no result (yet, or any more).")
    kind = "attachment" if download else "inline"
    return FileResponse(path, filename=f"{job.title}{path.suffix}", content_disposition_type=kind)


@router.post("/jobs/{key}/cancel")
async def cancel(studio: TheStudio, key: str) -> dict[str, Any]:
    """Stop a job. What it had finished is kept, so that it can be resumed."""
    await anyio.to_thread.run_sync(studio.runner.cancel, job_of(studio, key).id)
    return job_of(studio, key).told()


@router.post("/jobs/{key}/resume")
async def resume(studio: TheStudio, key: str) -> dict[str, Any]:
    """Go on with a job that was cancelled or has failed."""
    job = job_of(studio, key)
    if not Path(job.spec.get("video", ".")).exists():
        raise NotFound("its video is not there any more; send it again.")
    if not studio.table.change(
        key, only=("cancelled", "failed"), state="queued", ended=None, attempts=0, message="goes on"
    ):
        raise HTTPException(409, f"this job is {job.state}; only what was cancelled or has failed can be resumed.")
    studio.runner.wake()
    return job_of(studio, key).told()


@router.delete("/jobs/{key}", status_code=204)
async def remove(studio: TheStudio, key: str) -> None:
    """Delete a job with its result; one at work is cancelled first."""
    job = job_of(studio, key)
    for other in studio.files_of_jobs(job):
        studio.runner.cancel(other.id)
    await anyio.to_thread.run_sync(studio.runner.cancel, key)
    await anyio.to_thread.run_sync(studio.table.remove, job)
