"""What each machine of the cluster did, for `--json`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vidstyle.cluster.kinds import Node
from vidstyle.cluster.task import Failed, Made


@dataclass
class NodeFigures:
    """Sums over the tasks of a machine."""

    node: str
    """Ray's name of it."""
    host: str
    cpus: int
    segments: int = 0
    frames: int = 0
    busy_seconds: float = 0.0
    """Of all its tasks together."""
    failed: int = 0
    """Tasks that made nothing."""
    peak_rss_mb: float | None = None
    """Largest resident memory of one of its processes, MiB."""


class Figures:
    """The figures of all machines."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._of = {node.id: NodeFigures(node.id, node.host, node.cpus) for node in nodes}

    def add(self, result: Made | Failed) -> None:
        """Count what a task told."""
        worked = result.worked
        of = self._of.setdefault(worked.node, NodeFigures(worked.node, worked.host, 0))
        of.busy_seconds += worked.seconds
        if isinstance(result, Failed):
            of.failed += 1
            return
        of.segments += len(result.segments)
        of.frames += sum(segment.frames for segment in result.segments)
        of.peak_rss_mb = max(filter(None, (of.peak_rss_mb, worked.peak_rss_mb)), default=None)

    def to_list(self) -> list[dict[str, Any]]:
        """As JSON values, with frames per second of busy time."""
        return [
            {
                **asdict(of),
                "busy_seconds": round(of.busy_seconds, 3),
                "fps": round(of.frames / of.busy_seconds, 2) if of.busy_seconds else 0.0,
            }
            for of in self._of.values()
        ]
