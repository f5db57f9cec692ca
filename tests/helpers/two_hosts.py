"""Two hosts on this machine: network namespaces with names of their own, joined by a cable that can be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True)
class Host:
    """A network namespace."""

    name: str
    address: str
    card: str
    """Its network interface."""

    def command(self, words: Sequence[str]) -> list[str]:
        """A command as it is run on the host, under the host's name."""
        inner = 'hostname "$0"; exec "$@"'
        return ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", inner, self.name, *words]

    def start(self, words: Sequence[str], environment: Mapping[str, str] | None = None, **more: Any) -> Any:
        """A process on the host."""
        return subprocess.Popen(self.command(words), env={**os.environ, **(environment or {})}, **more)

    def run(self, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """A command on the host, to its end."""
        done = subprocess.run(
            self.command(words), env={**os.environ, **(environment or {})}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]

    def unplug(self) -> None:
        """Pull the cable."""
        subprocess.run(["ip", "-n", self.name, "link", "set", self.card, "down"], check=True)


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """Two of them that see each other and nothing else. Skips where that takes rights that we have not."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need Linux, root and iproute2")
    mark = f"{os.getpid() % 10000}"
    one, two = Host(f"vs{mark}a", "10.77.0.1", f"vs{mark}ca"), Host(f"vs{mark}b", "10.77.0.2", f"vs{mark}cb")
    made = subprocess.run(["ip", "netns", "add", one.name], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"no network namespaces here: {made.stderr.strip()}")
    try:
        steps = [f"ip netns add {two.name}", f"ip link add {one.card} type veth peer name {two.card}"]
        for host in (one, two):
            steps += [
                f"ip link set {host.card} netns {host.name}",
                f"ip -n {host.name} addr add {host.address}/24 dev {host.card}",
                f"ip -n {host.name} link set {host.card} up",
                f"ip -n {host.name} link set lo up",
            ]
        for step in steps:
            subprocess.run(step.split(), check=True, capture_output=True)
        yield one, two
    finally:
        for host in (one, two):
            subprocess.run(["ip", "netns", "del", host.name], check=False, capture_output=True)
