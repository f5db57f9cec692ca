"""Which machines give equal bytes: what is looked at, and who of the cluster is of a kind."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import ray.exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from vidstyle.core.errors import UsageError
from vidstyle.engines.cuda.devices import kind
from vidstyle.pipeline.plan.fingerprint import machine

_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8", "asimd", "sve")
"""Abilities of processors that decide which of its ways a library computes in."""
_A_LITTLE = 0.01
"""Of a GPU: enough to be shown one."""


PATIENCE = 60.0
"""Seconds that machines get to say what they are: a worker has to be started there, and to import its libraries."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster."""

    id: str
    host: str
    cpus: int
    kind: dict[str, Any]


def kind_here(device: str) -> dict[str, Any]:
    """What bytes depend on of this machine, besides settings.

    Args:
        device: that frames are painted on.
    """
    return {**machine(), "processor": processor(), "gpu": kind(device)}


def processor(cpu_info: Path = Path("/proc/cpuinfo")) -> str:
    """Its name and abilities: libraries choose their ways of computing by both."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:  # no Linux
        return platform.processor() or platform.machine()
    said = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    name = said.get("model name", platform.machine())
    flags = said.get("flags", said.get("Features", "")).split()
    return " ".join([name, *(flag for flag in _FLAGS if flag in flags)])


def survey(device: str) -> list[Node]:
    """All machines of the cluster that have processors to offer, by host.

    Args:
        device: that frames are to be painted on; on a machine without one it is not asked for its kind.
    """
    gpu = device.startswith("cuda")
    alive = [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    asked = []
    for node in alive:
        has_gpu = gpu and node["Resources"].get("GPU", 0) > 0
        place = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        task = _kind_there.options(num_gpus=_A_LITTLE if has_gpu else 0, scheduling_strategy=place)
        asked.append(task.remote(device if has_gpu or not gpu else "cpu"))
    ready, _ = ray.wait(asked, num_returns=max(1, len(asked)), timeout=PATIENCE) if asked else ([], [])
    found = []
    for node, reference in zip(alive, asked, strict=True):
        # Ray lists a lost machine for some seconds more, and one that does not answer will not work either.
        with suppress(ray.exceptions.RayError):
            if reference in ready:
                cpus = int(node["Resources"]["CPU"])
                found.append(Node(node["NodeID"], node["NodeManagerHostname"], cpus, ray.get(reference)))
    return sorted(found, key=lambda node: (node.host, node.id))


@ray.remote(num_cpus=0, max_retries=3)
def _kind_there(device: str) -> dict[str, Any]:
    return kind_here(device)


@dataclass(frozen=True)
class Machines:
    """The machines that work, and what there is to say of the others."""

    nodes: tuple[Node, ...]
    left_out: tuple[Node, ...]
    warnings: tuple[str, ...]


def chosen(nodes: Sequence[Node], own: Mapping[str, Any], *, mixed: bool) -> Machines:
    """The machines of the driver's own kind, or all.

    Args:
        own: kind of the machine that the driver runs on, which has settled how films are made.

    Raises:
        UsageError: there is none.
    """
    alike = tuple(node for node in nodes if mixed or node.kind == own)
    others = tuple(node for node in nodes if node not in alike)
    said = [f"{node.host} ({unlike(own, node.kind)})" for node in others]
    if not alike:
        what = "; ".join(said) or "it has no processors to offer"
        raise UsageError(
            f"--ray: no machine of the cluster is like this one: {what}; run the command on one of them, or take all "
            "with --mixed."
        )
    return Machines(
        alike, others, tuple(f"{one}: left out, as its bytes could differ; --mixed uses it." for one in said)
    )


def unlike(own: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """In what a machine differs from the driver's, in words."""
    return ", ".join(f"{key} {other.get(key)}, here {value}" for key, value in own.items() if other.get(key) != value)
