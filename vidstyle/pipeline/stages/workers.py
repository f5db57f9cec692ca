"""Jobs shared among workers, each in a thread of its own: whoever is free takes the next one."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from vidstyle.pipeline.stages.threads import run_threads

Job = TypeVar("Job")
Item = TypeVar("Item")
CheckCancelled = Callable[[], None]
"""Called by a worker now and then: raises Cancelled when its work is not wanted any more."""


class Cancelled(Exception):
    """Raised in a worker when another one has failed or the run was interrupted."""


def run_jobs(jobs: Iterable[Job], workers: Sequence[Callable[[Job, CheckCancelled], None]]) -> None:
    """Have every job done by one of the workers, the first jobs first. A single worker works in the calling thread.

    Raises:
        The first error of any worker; KeyboardInterrupt after all have stopped. No thread is left in either case.
    """
    if len(workers) == 1:
        for job in jobs:
            workers[0](job, lambda: None)
        return
    left = deque(jobs)
    unwanted = threading.Event()
    errors: list[BaseException] = []

    def check_cancelled() -> None:
        if unwanted.is_set():
            raise Cancelled

    def run(worker: Callable[[Job, CheckCancelled], None]) -> None:
        try:
            while not unwanted.is_set():
                try:
                    job = left.popleft()
                except IndexError:
                    return
                worker(job, check_cancelled)
        except Cancelled:
            pass
        except BaseException as error:
            errors.append(error)
            unwanted.set()

    threads = [
        threading.Thread(target=run, args=(worker,), name=f"vidstyle-worker{i}", daemon=True)
        for i, worker in enumerate(workers)
    ]
    run_threads(threads, unwanted.set)
    if errors:
        raise errors[0]


def until_cancelled(items: Iterable[Item], check_cancelled: CheckCancelled) -> Iterator[Item]:
    """The items, as long as the worker is to go on."""
    for item in items:
        check_cancelled()
        yield item
