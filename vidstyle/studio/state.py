"""Everything that a running studio has: its library, its jobs, its helpers; and what a request means in files."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from filelock import FileLock, Timeout

from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.sizes import AUTO_PAINT_SIZE, painting_size
from vidstyle.studio.configuration import StudioConfiguration
from vidstyle.studio.jobs import JobRow, JobTable
from vidstyle.studio.library import Item, Library
from vidstyle.studio.processes.helper import HelperProcess
from vidstyle.studio.runner import Runner
from vidstyle.studio.schema import EvaluateJob, FitJob, JobRequest, LoopJob, PaintSettings, RenderJob
from vidstyle.styles.fit.settings import FitSettings
from vidstyle.styles.gallery import DESCRIPTIONS

LOOK_SECONDS = 60.0
"""For which a file is looked at before it is given up."""
PAINT_SECONDS = 120.0
_SWEEP_SECONDS = 600.0


class NotFound(InputError):
    """There is nothing under this key."""


class Newest:
    """One painter, many who ask: of each the newest request alone is worked on."""

    def __init__(self) -> None:
        self.turn = anyio.Lock()
        self._asked: dict[str, int] = {}

    def ask(self, client: str) -> int:
        """The number of a request."""
        if len(self._asked) > 10_000:
            self._asked.clear()
        self._asked[client] = self._asked.get(client, 0) + 1
        return self._asked[client]

    def overtaken(self, client: str, number: int) -> bool:
        """Whether the client has asked again since."""
        return self._asked.get(client) != number


class Studio:
    """A studio at work. `start` and `close` frame its life.

    Raises:
        UsageError: another studio works in the folder.
    """

    def __init__(self, configuration: StudioConfiguration) -> None:
        self.configuration = configuration
        folder = configuration.folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"{folder}: cannot be made ({error.strerror}); choose another with --folder.") from error
        self._lock = FileLock(folder / "lock", timeout=3)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise UsageError(f"{folder}: another studio works here; stop it, or choose another --folder.") from error
        self.fitted = folder / "learned"
        self.fitted.mkdir(mode=0o700, exist_ok=True)
        limits = configuration.limits
        self.inspector = HelperProcess(_inspection_functions, limits)
        self.painter = HelperProcess(_still_functions, configuration.model, configuration.engine, configuration.device)
        self.library = Library(folder / "library", limits, partial(_look, self.inspector))
        self.table = JobTable(folder)
        self.runner = Runner(self.table)
        self.newest = Newest()
        self.camera_in_use = False
        self._stop = threading.Event()
        self._sweeper = threading.Thread(target=self._sweep, daemon=True)

    def start(self) -> None:
        self.inspector.start()
        self.runner.start()
        self._sweeper.start()
        threading.Thread(target=self._warm, daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self.runner.close()
        self.inspector.close()
        self.painter.close()
        self.table.close()
        self._lock.release()

    def item(self, key: str, kind: str) -> Item:
        """A video or picture, noted as used. Raises NotFound."""
        item = self.library.get(key)
        if item is None or item.kind != kind:
            raise NotFound(f"there is no {kind} of this id (any more).")
        if not item.path.is_file():
            raise NotFound(f"{item.name}: is not there any more.")
        self.library.touch(item)
        return item

    def style_ref(self, style: str) -> tuple[str, str]:
        """The name or path by which a style is read, and the user's name for it. Raises NotFound."""
        if style in DESCRIPTIONS:
            return style, style
        item = self.item(style, "picture")
        return str(item.path), item.name

    def learned(self, style: str, paint_size: int, *, deep: bool) -> Path:
        """Where what is learned of a style lies, for a painting size."""
        size = FitSettings(paint_size=paint_size).size
        return self.fitted / f"{style}-{size}{'-deep' if deep else ''}.safetensors"

    def best_learned(self, style: str, paint_size: int, *, deep: bool) -> Path | None:
        """What has been learned of a style for this painting size, or for the one that is nearest; None where nothing has."""
        wanted = FitSettings(paint_size=paint_size).size
        found: list[tuple[bool, int, Path]] = []
        for path in self.fitted.glob(f"{style}-*.safetensors"):
            match = re.fullmatch(rf"{re.escape(style)}-(\d+)(-deep)?", path.stem)
            if match and (deep or not match[2]):
                found.append((not match[2], abs(int(match[1]) - wanted), path))
        return min(found)[2] if found else None

    def look(self, settings: PaintSettings, video: Item | None = None) -> dict[str, Any]:
        """Settings with the files that they mean, as helpers and jobs take them. Raises NotFound, InputError."""
        if settings.mask is not None and len(settings.styles) > 2:
            raise InputError("a mask chooses between two styles at most; take one away.")
        size = settings.paint_size
        short = AUTO_PAINT_SIZE if video is None else min(video.about["width"], video.about["height"])
        painted = min(painting_size((short, short), size))
        # A mask that chooses between two styles takes them whole.
        whole = settings.mask is not None and len(settings.styles) == 2
        alone = len(settings.styles) == 1
        styles, names, learned = [], [], []
        for choice in settings.styles:
            ref, name = self.style_ref(choice.style)
            better = self.best_learned(choice.style, painted, deep=alone) if settings.learned else None
            styles.append([str(better or ref), 1.0 if whole else choice.weight])
            names.append([ref, name])
            learned.append(better is not None)
        mask = None if settings.mask is None else self.item(settings.mask, "picture")
        return {
            "settings": settings.model_dump(),
            "styles": styles,
            "names": names,
            "mask": None if mask is None else str(mask.path),
            "learned": learned,
        }

    def submit(self, request: JobRequest, client: str) -> JobRow:
        """Queue a job. Raises NotFound, InputError."""
        waiting = [j for j in self.table.jobs(client) if j.state in ("queued", "running")]
        if len(waiting) >= self.configuration.limits.open_jobs:
            raise InputError("you have too many jobs waiting; cancel some, or wait for them.")
        make = {RenderJob: self._render, LoopJob: self._render, FitJob: self._fit, EvaluateJob: self._evaluate}
        title, needs, spec = make[type(request)](request)
        where = {name: getattr(self.configuration, name) for name in ("model", "engine", "device")}
        spec |= {**where, "request": request.model_dump(), "needs": needs}
        job = self.table.add(client, request.kind, title, spec)
        self.runner.wake()
        return job

    def _render(self, request: Any) -> tuple[str, list[str], dict[str, Any]]:
        video = self.item(request.video, "video")
        if request.kind == "render" and request.end is not None and request.end <= (request.start or 0):
            raise InputError("the end must be later than the start.")
        look = self.look(request.settings, video)
        names = " + ".join(Path(name).stem for _, name in look["names"])
        mine = [c.style for c in request.settings.styles if c.style not in DESCRIPTIONS]
        needs = [video.id, *mine, *([request.settings.mask] if request.settings.mask else [])]
        spec = {"video": str(video.path), "video_name": video.name, **look}
        return f"{Path(video.name).stem} in {names}", needs, spec

    def _fit(self, request: Any) -> tuple[str, list[str], dict[str, Any]]:
        ref, name = self.style_ref(request.style)
        target = self.learned(request.style, request.paint_size, deep=request.deep)
        spec = {"ref": ref, "style_name": name, "target": str(target), "names": [[ref, name]]}
        return f"learning {Path(name).stem}", [] if ref == name else [request.style], spec

    def _evaluate(self, request: Any) -> tuple[str, list[str], dict[str, Any]]:
        job = self.table.get(request.job)
        styled = None if job is None else self.table.result(job)
        if job is None or styled is None or job.kind != "render":
            raise NotFound("there is no finished video of this id.")
        names = job.spec["names"]
        spec = {
            "video": job.spec["video"],
            "video_name": job.spec["video_name"],
            "styled": str(styled),
            "start": job.spec["request"]["start"] or 0.0,
            "ref": names[0][0] if len(names) == 1 else None,
            "names": names,
            "of": job.id,
        }
        return f"measuring {job.title}", list(job.videos), spec

    def in_use(self) -> set[str]:
        """Keys of the library that jobs need, those that may be resumed among them."""
        return {key for job in self.table.jobs() if job.state != "done" for key in job.videos}

    def files_of_jobs(self, job: JobRow) -> Iterator[JobRow]:
        """Jobs that read this one's result and have not ended."""
        for other in self.table.jobs(states=("queued", "running")):
            if other.spec.get("of") == job.id:
                yield other

    def _warm(self) -> None:
        with suppress(InputError):
            self.painter.call("warm", timeout=PAINT_SECONDS)

    def _sweep(self) -> None:
        while not self._stop.wait(_SWEEP_SECONDS):
            self.sweep()

    def sweep(self) -> int:
        """Delete what is too old. Returns how many videos, pictures and jobs."""
        hours = self.configuration.limits.keep_hours
        gone = self.table.sweep(hours) + self.library.sweep(self.in_use())
        for path in self.fitted.glob("*.safetensors"):
            style = path.stem.rpartition("-deep")[0] or path.stem
            owner = style.rpartition("-")[0]
            old = time.time() - path.stat().st_mtime > 3600 * hours
            if old and owner not in DESCRIPTIONS and self.library.get(owner) is None:
                path.unlink(missing_ok=True)
        return gone


def _look(helper: HelperProcess, kind: str, path: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = helper.call(kind, str(path), name, timeout=LOOK_SECONDS)
    return found


def _inspection_functions(*args: Any) -> Any:
    """`inspection.functions`, imported in the helper's process only."""
    from vidstyle.studio.processes import inspection

    return inspection.functions(*args)


def _still_functions(*args: Any) -> Any:
    """`still.functions`, imported in the helper's process only."""
    from vidstyle.studio.processes import still

    return still.functions(*args)
