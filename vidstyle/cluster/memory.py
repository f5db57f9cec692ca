"""Memory that a task is said to need, so that Ray puts no more of them on a machine than it can bear."""

from __future__ import annotations

from vidstyle.pipeline.plan.plan import VideoPlan
from vidstyle.pipeline.stages.batch_size import BYTES_A_PIXEL
from vidstyle.pipeline.stages.segment_runner import QUEUE_BYTES

_PROCESS_BYTES = 1000 << 20
"""Of a worker besides frames: interpreter, libraries, model, and the compilation of a network for a size that is new to the
machine, which more than doubles it (471 and 1,020 MiB were measured at 320x180)."""
_FRAMES_IN_CODECS = 60
"""Frames at full size, 4:2:0, that a decoder and an encoder hold (x264 looks 40 ahead)."""


def task_memory(video: VideoPlan, batch_size: int) -> int:
    """Bytes, about: measured peaks lie below (benchmarks/results/cluster.json, cluster_two_nodes.json)."""
    painted = video.painting.size[0] * video.painting.size[1]
    full = video.size[0] * video.size[1] * 3 // 2
    return _PROCESS_BYTES + BYTES_A_PIXEL * painted * batch_size + 2 * QUEUE_BYTES + _FRAMES_IN_CODECS * full
