"""The driver: keeps the cluster busy with segments of all films, takes what comes back, joins each film when it is whole."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import ray
import ray.exceptions

from vidstyle.cluster.delivery import DamagedSegment
from vidstyle.cluster.figures import Figures
from vidstyle.cluster.kinds import Machines
from vidstyle.cluster.memory import task_memory
from vidstyle.cluster.open_video import OpenVideo, PlannedVideo, lost
from vidstyle.cluster.options import ClusterOptions
from vidstyle.cluster.storage import TransferError
from vidstyle.cluster.task import EngineSettings, Failed, Made, make_range
from vidstyle.core.errors import InputError, VidstyleError
from vidstyle.engines.base import Engine
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport
from vidstyle.pipeline.plan.segments import Range

_AHEAD = 3
"""Tasks that are given to Ray for each that can run at a time: one runs, the others wait where a machine may become free."""
_RETRIES = 3
"""Times that a task is begun again whose machine or process was lost, whose film did not come through or whose result was
damaged on its way."""
_QUIET = 20.0
"""Seconds in which no task ends, after which it is looked whether any machine is left."""
PATIENCE = 5.0
"""Seconds that cancelled tasks get to stop by themselves."""

Open = Callable[[PlannedVideo], OpenVideo]
Finished = Callable[[PlannedVideo, Callable[[], RunReport]], None]
"""Called with each film that is done with and a function that gives its report, or raises what stopped it."""


@dataclass
class _Running:
    """A task that Ray has."""

    video: OpenVideo
    segments: Range
    damaged: int = 0
    """Times that its result did not arrive whole."""


class Driver:
    """Films over the machines of a choice.

    Args:
        engine: of this machine, which all machines have alike.
        kind: that machines must be of; None: any.
        say: told a line for the user.
    """

    def __init__(
        self,
        engine: Engine,
        options: RunOptions,
        cluster: ClusterOptions,
        choice: Machines,
        kind: dict[str, Any] | None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.engine, self.options, self.kind, self.say = engine, options, kind, say
        self.last, self.waits = time.monotonic(), False
        self.settings = EngineSettings.of(engine)
        self.gpus = cluster.gpus if engine.device.startswith("cuda") else 0.0
        self.excluded = [node.id for node in choice.left_out]
        self.slots = max(1, sum(node.cpus // engine.threads for node in choice.nodes))
        self.figures = Figures(choice.nodes)
        self.running: dict[ray.ObjectRef[Any], _Running] = {}
        self.specs: dict[OpenVideo, ray.ObjectRef[Any]] = {}
        self.remote = ray.remote(make_range)

    def run(self, videos: Sequence[PlannedVideo], open_: Open, finished: Finished) -> None:
        """Do all films, those with the longest tasks first. An error of one stops none of the others.

        Args:
            open_: settles a film when its first task is due.
            finished: told of each film that is done with.

        Raises:
            KeyboardInterrupt: interrupted; nothing runs any more, and what is finished is kept.
        """
        self.finished = finished
        left = deque(sorted(videos, key=PlannedVideo.longest, reverse=True))
        self.videos: list[OpenVideo] = []
        try:
            while left or self.videos:
                while len(self.running) < _AHEAD * self.slots and (self._submit_one() or self._open(left, open_)):
                    pass
                self._take_ready()
        except BaseException as error:
            self._cancel(list(self.running))
            told = [video.fail(error) for video in self.videos]
            raise (told[0] if isinstance(error, KeyboardInterrupt) and told else error) from None

    def _open(self, left: deque[PlannedVideo], open_: Open) -> bool:
        """Begin the next film. False where there is none."""
        if not left:
            return False
        video = left.popleft()
        try:
            self.videos.append(opened := open_(video))
        except (VidstyleError, OSError, MemoryError) as error:
            self._told(video, error)
            return True
        self._finish_if_done(opened)
        return True

    def _submit_one(self) -> bool:
        """Give Ray a task of the first film that has one left. False where none has."""
        for video in self.videos:
            if video.waiting:
                self._submit(_Running(video, video.waiting.pop(0)))
                return True
        return False

    def _submit(self, task: _Running) -> None:
        video = task.video
        if video not in self.specs:
            self.specs[video] = ray.put(video.task(self.settings, self.options.max_errors, self.kind))
        selector = {"ray.io/node-id": f"!in({','.join(self.excluded)})"} if self.excluded else None
        remote = self.remote.options(
            name=f"{video.video.name}: segment {task.segments[0]}",
            num_cpus=self.engine.threads,
            num_gpus=self.gpus,
            memory=task_memory(video.video.plan, video.job.batch_size),
            max_retries=_RETRIES,
            retry_exceptions=[TransferError],
            label_selector=selector,
        )
        self.running[remote.remote(self.specs[video], task.segments)] = task
        video.running += 1

    def _take_ready(self) -> None:
        """Wait for a task to end, and take what it made."""
        if not self.running:
            return
        ready, _ = ray.wait(list(self.running), num_returns=1, timeout=1.0)
        self._watch(bool(ready))
        for reference in ready:
            task = self.running.pop(reference)
            task.video.running -= 1
            if task.video not in self.videos:  # has failed meanwhile
                continue
            try:
                self._take(reference, task)
            except (VidstyleError, OSError, MemoryError) as error:
                self._fail(task.video, error)
            else:
                self._finish_if_done(task.video)

    def _watch(self, progress: bool) -> None:
        """Say it where all waits for machines that are not there, and may come."""
        now = time.monotonic()
        if progress:
            self.last, self.waits = now, False
        elif not self.waits and now - self.last > _QUIET and not self._fitting():
            self.waits = True
            self.say("vidstyle: warning: no machine of the cluster is left that fits; waiting for one, or for Ctrl-C.")

    def _fitting(self) -> bool:
        """Whether there is a machine that tasks may go to."""
        return any(
            node["Alive"]
            and node["NodeID"] not in self.excluded
            and node["Resources"].get("CPU", 0) >= self.engine.threads
            for node in ray.nodes()
        )

    def _take(self, reference: ray.ObjectRef[Any], task: _Running) -> None:
        """Take the result of a task, or give it to Ray again. Raises VidstyleError where the film cannot be made."""
        video = task.video.video
        try:
            result: Made | Failed = ray.get(reference)
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, VidstyleError):
                raise InputError(f"{error.cause} (segment {task.segments[0]})") from error
            raise lost(video, f"an error that is vidstyle's own: {error.cause!r}", task.segments, error) from error
        except ray.exceptions.OutOfMemoryError as error:
            help_ = "machines ran out of memory; give fewer frames per call (--chunk 1) or a smaller --paint-size"
            raise lost(video, help_, task.segments, error) from error
        except ray.exceptions.RayError as error:
            raise lost(
                video, f"its machines or processes were lost {_RETRIES + 1} times", task.segments, error
            ) from error
        self.figures.add(result)
        if isinstance(result, Failed):
            if not result.other_kind:
                raise InputError(f"{result.sentence} (segment {task.segments[0]}, on {result.worked.host})")
            self.excluded.append(result.worked.node)
            if not self._fitting():
                raise InputError(f"no machine of the driver's kind is left ({result.worked.host}: {result.sentence})")
            self._submit(task)
            return
        try:
            task.video.take(result)
        except DamagedSegment as error:
            task.damaged += 1
            if task.damaged > _RETRIES:
                raise InputError(f"{video.name}: {error}, {task.damaged} times (from {result.worked.host})") from error
            self._submit(task)

    def _finish_if_done(self, video: OpenVideo) -> None:
        if video.waiting or video.running:
            return
        try:
            report = video.finish()
        except (VidstyleError, OSError) as error:
            self._fail(video, error)
            return
        self._forget(video)
        self.finished(video.video, lambda: report)

    def _fail(self, video: OpenVideo, error: BaseException) -> None:
        self._cancel([reference for reference, task in self.running.items() if task.video is video])
        told = video.fail(error)
        self._forget(video)
        self._told(video.video, told)

    def _forget(self, video: OpenVideo) -> None:
        self.videos.remove(video)
        self.specs.pop(video, None)

    def _told(self, video: PlannedVideo, error: BaseException) -> None:
        def raise_() -> RunReport:
            raise error

        self.finished(video, raise_)

    def _cancel(self, references: list[ray.ObjectRef[Any]]) -> None:
        """Stop tasks: gently, so that they clear up; those that do not within PATIENCE, by force."""
        for force in (False, True):
            for reference in references:
                ray.cancel(reference, force=force)
            end = time.monotonic() + PATIENCE
            while references and time.monotonic() < end:
                _, references = ray.wait(references, num_returns=len(references), timeout=0.2)
            if not references:
                return
