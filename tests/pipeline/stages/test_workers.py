"""Jobs shared among workers: each done once, the first failure told, nobody left working."""

import _thread
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.pipeline.stages.workers import run_jobs, until_cancelled


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    yield
    assert not [t for t in threading.enumerate() if t.name.startswith("vidstyle")]


@settings(max_examples=20)
@given(jobs=st.integers(0, 12), workers=st.integers(1, 5))
def test_every_job_is_done_once(jobs: int, workers: int) -> None:
    done: list[int] = []
    run_jobs(range(jobs), [lambda job, check_cancelled: done.append(job)] * workers)
    assert sorted(done) == list(range(jobs))
    assert workers > 1 or done == sorted(done)


def test_workers_work_beside_each_other() -> None:
    together = threading.Barrier(2, timeout=30)

    def meet(job: int, check_cancelled: object) -> None:
        together.wait()

    run_jobs(range(2), [meet] * 2)


def test_a_single_worker_needs_no_thread() -> None:
    seen: list[threading.Thread] = []
    run_jobs(range(2), [lambda job, check_cancelled: seen.append(threading.current_thread())])
    assert set(seen) == {threading.main_thread()}


def endless(check_cancelled: Callable[[], None], left: list[int], job: int) -> None:
    def forever() -> Iterator[None]:
        while True:
            time.sleep(0.001)
            yield

    try:
        for _ in until_cancelled(forever(), check_cancelled):
            pass
    finally:
        left.append(job)


def test_the_first_error_stops_the_others_and_is_told() -> None:
    left: list[int] = []

    def worker(job: int, check_cancelled: Callable[[], None]) -> None:
        if job == 1:
            raise ValueError("the disk is full")
        endless(check_cancelled, left, job)

    with pytest.raises(ValueError, match="disk is full"):
        run_jobs(range(50), [worker] * 3)
    assert 0 in left
    assert len(left) <= 2  # what nobody had begun is not begun


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_stops_all() -> None:
    left: list[int] = []

    def worker(job: int, check_cancelled: Callable[[], None]) -> None:
        if job == 1:
            _thread.interrupt_main()
        endless(check_cancelled, left, job)

    with pytest.raises(KeyboardInterrupt):
        run_jobs(range(50), [worker] * 2)
    assert sorted(left) in ([0, 1], [0], [1])
