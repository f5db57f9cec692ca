"""What goes wrong on a cluster: drivers, machines and workers that are killed in the middle of a film."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.conftest import NODE
from vidstyle.pipeline.plan.journal import journal_folder

pytestmark = pytest.mark.usefixtures("here")
SEGMENT = Fraction(1, 5)
PATIENCE = 60.0


def noted(output: str) -> int:
    """Segments that the journal of an output lists."""
    notes = journal_folder(Path(output)) / "done.jsonl"
    return len(notes.read_text().splitlines()) if notes.exists() else 0


def wait_for(there: Callable[[], object]) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := there()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return found


@contextlib.contextmanager
def meanwhile(act: Callable[[], None]) -> Iterator[None]:
    """Do something in another thread; what it raises is raised at the end."""
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            act()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        thread.join()
    if errors:
        raise errors[0]


@pytest.fixture
def film(make_clip: Any) -> str:
    """Forty segments."""
    return str(make_clip("film.mp4", frames=200, width=96, height=64, sound="aac", options={"g": "10"}))


@pytest.fixture
def expected(film: str, locally: Any) -> bytes:
    locally(film, "own.mp4", segment=SEGMENT)
    return Path("own.mp4").read_bytes()


def test_a_killed_driver_and_a_resumed_one(
    film: str, expected: bytes, command: list[str], environment: dict[str, str], over_ray: Any
) -> None:
    driver = subprocess.Popen([*command, "--segment", "0.2", film, "-o", "out.mp4", "-q"], env=environment)
    wait_for(lambda: noted("out.mp4") >= 3)
    driver.kill()
    driver.wait()
    kept = noted("out.mp4")
    assert kept < 40
    results, nodes = over_ray([film], "out.mp4", segment=SEGMENT, resume=True)
    assert results[film].frames == 200
    assert sum(node["segments"] for node in nodes) == 40 - kept  # nothing is made twice
    assert Path("out.mp4").read_bytes() == expected


def test_ctrl_c_stops_all_tasks_and_other_drivers_go_on(
    film: str, expected: bytes, command: list[str], environment: dict[str, str], over_ray: Any
) -> None:
    import ray

    driver = subprocess.Popen(
        [*command, "--segment", "0.2", film, "-o", "out.mp4"], env=environment, stderr=subprocess.PIPE, text=True
    )
    took: list[float] = []
    told: list[str] = []

    def interrupt() -> None:
        wait_for(lambda: noted("out.mp4") >= 3)
        begun = time.monotonic()
        driver.send_signal(signal.SIGINT)
        told.append(driver.communicate(timeout=PATIENCE)[1])
        took.append(time.monotonic() - begun)

    with meanwhile(interrupt):
        results, _ = over_ray([film], "other.mp4", segment=SEGMENT)
    assert "with --resume goes on from here" in told[0]
    assert driver.returncode == 130
    assert took[0] < 10
    assert results[film].frames == 200
    assert Path("other.mp4").read_bytes() == expected
    assert not Path("out.mp4").exists()
    wait_for(lambda: ray.available_resources().get("CPU") == 2)
    over_ray([film], "out.mp4", segment=SEGMENT, resume=True)
    assert Path("out.mp4").read_bytes() == expected


def test_a_lost_machine_and_a_killed_worker(film: str, expected: bytes, cluster: Any, over_ray: Any) -> None:
    import psutil

    extra = cluster.add_node(**NODE)

    def kill() -> None:
        wait_for(lambda: noted("out.mp4") >= 2)
        worker = wait_for(working)
        os.kill(worker.pid, signal.SIGKILL)  # as the system does where memory is short
        wait_for(lambda: noted("out.mp4") >= 6)
        cluster.remove_node(extra, allow_graceful=False)

    def working() -> psutil.Process | None:
        for process in psutil.process_iter(["cmdline"]):
            if any("film.mp4: segment" in word for word in process.info["cmdline"] or ()):
                return process
        return None

    with meanwhile(kill):
        results, _ = over_ray([film], "out.mp4", segment=SEGMENT)
    assert results[film].frames == 200
    assert Path("out.mp4").read_bytes() == expected


def test_forty_short_films(over_ray: Any, locally: Any, make_clip: Any) -> None:
    first = make_clip("film00.mp4", frames=3)
    names = [f"film{i:02d}.mp4" for i in range(40)]
    for name in names[1:]:
        Path(name).write_bytes(first.read_bytes())
    results, nodes = over_ray(names, out_dir=Path.cwd())
    locally("film00.mp4", "own.mp4")
    assert sorted(results) == names
    for name in names:
        assert Path(f"{name[:-4]}.styled.mp4").read_bytes() == Path("own.mp4").read_bytes()
    assert sum(node["segments"] for node in nodes) == 40


def test_two_runs_of_one_output(film: str, over_ray: Any) -> None:
    from vidstyle.core.errors import UsageError
    from vidstyle.pipeline.plan.journal import Journal

    with Journal.create(journal_folder(Path("out.mp4")), {}):
        results, _ = over_ray([film], "out.mp4")
    assert isinstance(results[film], UsageError)
    assert "another run is writing this output" in str(results[film])
