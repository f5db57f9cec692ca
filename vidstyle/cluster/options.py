"""What a run over a cluster can be told besides what every run can. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vidstyle.core.errors import UsageError

if TYPE_CHECKING:
    from vidstyle.pipeline.plan.run_options import RunReport

LOCAL = "local"
"""The address that means: a Ray of this machine's own, for the time of the command."""


@dataclass(frozen=True)
class ClusterOptions:
    """Where the work is done.

    Raises:
        UsageError: a value out of its range.
    """

    address: str = LOCAL
    """Of the cluster: HOST:PORT of its head, or "auto" for the one that this machine belongs to."""
    mixed: bool = False
    """Also use machines whose bytes may differ from this one's."""
    gpus: float = 1.0
    """Share of a GPU that a task takes where frames are painted on GPUs: two tasks share one at 0.5."""

    def __post_init__(self) -> None:
        if not 0 < self.gpus <= 1:
            raise UsageError(f"--ray-gpus {self.gpus:g}: must be more than 0 and at most 1.")


@dataclass(frozen=True)
class Listener:
    """Who is told what while a run goes on."""

    done: Callable[[str, Callable[[], RunReport]], None]
    """Called with each video that is done with, in any order, and what gives its report or raises what stopped it."""
    progress: Callable[[str, int, int | None], None] = lambda *_: None
    """Called with a video, the frames of it that are finished and the number expected (None: unknown)."""
    say: Callable[[str], None] = lambda _: None
    """Called with a line for the user."""
