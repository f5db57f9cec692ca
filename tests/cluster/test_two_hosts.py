"""A cluster of two hosts, of which one is cut off in the middle of a film."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.two_hosts import Host, two_hosts
from vidstyle.pipeline.plan.journal import journal_folder

pytest.importorskip("ray")
RAY = str(Path(sys.executable).with_name("ray"))


def ray_on(host: Host, *words: str, folder: Path) -> Any:
    """A node of a cluster on a host, in the foreground."""
    store = ["--num-cpus", "1", "--object-store-memory", "100000000", "--node-ip-address", host.address, "--block"]
    quick = {"RAY_health_check_period_ms": "1000", "RAY_health_check_failure_threshold": "3"}
    log = (folder / f"{host.name}.log").open("w")
    return host.start([RAY, "start", *words, *store], quick, stdout=log, stderr=subprocess.STDOUT)


def noted(output: Path) -> int:
    notes = journal_folder(output) / "done.jsonl"
    return len(notes.read_text().splitlines()) if notes.exists() else 0


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_host_that_is_cut_off(
    make_clip: Any, tiny_model: Path, style: str, tmp_path: Path, locally: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    from fractions import Fraction

    make_clip("film.mp4", frames=300, width=96, height=64, sound="aac", options={"g": "10"})
    locally("film.mp4", "own.mp4", segment=Fraction(1, 5))
    output = tmp_path / "out.mp4"
    options = {"model": tiny_model, "style": style, "style-size": 32, "engine": "torch", "device": "cpu"}
    options |= {"precision": "fp32", "threads": 1, "chunk": 3, "segment": 0.2, "json": tmp_path / "report.json"}
    with two_hosts() as (one, two):
        head = ray_on(one, "--head", "--port", "6399", "--include-dashboard", "false", folder=tmp_path)
        other = None
        try:
            time.sleep(10)
            other = ray_on(two, "--address", f"{one.address}:6399", folder=tmp_path)
            time.sleep(10)
            words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
            driver = one.start(
                [
                    sys.executable,
                    "-m",
                    "vidstyle",
                    "run",
                    "film.mp4",
                    "-o",
                    str(output),
                    *words,
                    "--ray",
                    f"{one.address}:6399",
                ]
            )
            while noted(output) < 6:
                assert driver.poll() is None
                time.sleep(0.1)
            two.unplug()
            assert driver.wait(200) == 0
        finally:
            for process in (other, head):
                if process is not None:
                    process.terminate()
                    process.wait()
    assert output.read_bytes() == (tmp_path / "own.mp4").read_bytes()
    import json

    nodes = json.loads((tmp_path / "report.json").read_text())["nodes"]
    assert len([node for node in nodes if node["segments"]]) == 2
    assert {node["host"] for node in nodes} == {one.name, two.name}
    assert os.path.lexists(output)
