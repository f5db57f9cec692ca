"""The way to a Ray cluster: one that runs already, or one of this command's own."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vidstyle.cluster.options import LOCAL
from vidstyle.core.errors import InputError, UsageError
from vidstyle.engines.base import cores

_OBJECT_STORE_BYTES = 1 << 29
"""Of a Ray that is started here. Only encoded segments pass through it, and Ray moves to disk what does not fit."""

PATIENCE = 10.0
"""Seconds that the head of a cluster gets to answer."""


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Be a driver of the cluster. One that this program has joined already is used as it is, and stays joined.

    Raises:
        UsageError: Ray is not installed, or an address that it cannot take.
        InputError: nobody answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # of a cluster that is started here
    try:
        import ray
    except ImportError as error:
        raise UsageError('--ray needs Ray, which is not installed; pip install "vidstyle[cluster]".') from error
    if ray.is_initialized():
        yield
        return
    _check(address)
    own: dict[str, Any] = {"num_cpus": cores(), "include_dashboard": False, "object_store_memory": _OBJECT_STORE_BYTES}
    try:
        ray.init(
            address=address,
            namespace="vidstyle",
            log_to_driver=False,
            logging_level=logging.ERROR,
            **(own if address == LOCAL else {}),
        )
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        where = "no Ray could be started here" if address == LOCAL else "no Ray cluster answers there"
        help_ = "" if address == LOCAL else "; start one with: ray start --head"
        raise InputError(f"--ray {address}: {where} ({_brief(error)}){help_}.") from error
    try:
        yield
    finally:
        ray.shutdown()


def _check(address: str) -> None:
    """Refuse an address that Ray does not take, or that it would wait for in vain for minutes."""
    if address.startswith("ray://"):
        raise UsageError(
            f"--ray {address}: the command has to run on a machine of the cluster, where it then is --ray auto; "
            "send it there with: ray job submit."
        )
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
        except OSError as error:
            what = error.strerror or "nobody answers"
            raise InputError(
                f"--ray {address}: no Ray cluster answers there ({what.lower()}); start one with: ray start --head."
            ) from error
    elif address not in (LOCAL, "auto"):
        raise UsageError(f"--ray {address}: is no address; write HOST:PORT, or auto for this machine's cluster.")


def _brief(error: BaseException) -> str:
    """The first sentence of what Ray says."""
    text = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return text.partition(". ")[0].rstrip(".")[:200]
