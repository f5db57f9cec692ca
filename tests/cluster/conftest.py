"""One cluster for all tests of a session: two machines' worth of Ray on this one, a processor each."""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vidstyle.cluster.options import ClusterOptions, Listener
from vidstyle.core.errors import VidstyleError
from vidstyle.pipeline.plan.run_options import RunOptions, RunReport

NODE = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
TINY = {"style_size": 32, "engine": "torch", "device": "cpu", "precision": "fp32", "threads": 1, "chunk": 3}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the cluster is marked so, by its use."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def s3(_own_cache: None) -> Iterator[str]:
    """Address of an S3-compatible server that this process, and what it starts, finds by the environment."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    pytest.importorskip("s3fs")
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "somebody",
        "AWS_SECRET_ACCESS_KEY": "a-secret-that-nobody-tells",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        yield settings["AWS_ENDPOINT_URL"]
    server.stop()


@pytest.fixture(scope="session")
def cluster(s3: str) -> Iterator[Any]:
    """A running `ray.cluster_utils.Cluster`, which this process has joined."""
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        running = Cluster(initialize_head=True, head_node_args=NODE)
        try:
            running.add_node(**NODE)  # type: ignore[arg-type]
            ray.init(address=running.address, log_to_driver=False, logging_level=logging.ERROR, namespace="vidstyle")
            yield running
        finally:
            ray.shutdown()
            running.shutdown()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder is the test's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def style(tmp_path: Path) -> str:
    path = tmp_path / "art.png"
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 52, 3), dtype=np.uint8)).save(path)
    return str(path)


Result = dict[str, RunReport | VidstyleError]


@pytest.fixture
def over_ray(cluster: Any, tiny_model: Path, style: str) -> Callable[..., tuple[Result, list[dict[str, Any]]]]:
    """`over_ray(sources, output=None, **options)`: what became of each source, and the figures of the machines."""

    def run(sources: Any, output: Any = None, *, mixed: bool = False, **options: Any) -> Any:
        from vidstyle.cluster.stylize_videos import stylize_videos

        settings = RunOptions(**{**TINY, "model": tiny_model, **options})
        results: Result = {}

        def done(source: str, result: Callable[[], RunReport]) -> None:
            assert source not in results
            try:
                results[source] = result()
            except VidstyleError as error:
                results[source] = error

        nodes = stylize_videos(
            sources,
            output,
            settings.style_request(style if "keyframes" not in options else ()),
            options=settings,
            cluster=ClusterOptions("auto", mixed),
            listener=Listener(done),
        )
        return results, nodes

    return run


@pytest.fixture
def locally(tiny_model: Path, style: str) -> Callable[..., RunReport]:
    """`locally(source, output, **options)`: the same in this process."""

    def run(source: Any, output: Any, **options: Any) -> RunReport:
        from vidstyle.pipeline.run import stylize_video

        settings = RunOptions(**{**TINY, "model": tiny_model, **options})
        return stylize_video(source, output, style if "keyframes" not in options else (), options=settings)

    return run


@pytest.fixture
def command(cluster: Any, tiny_model: Path, style: str) -> list[str]:
    """`vidstyle run ... --ray ADDRESS` in the words of a shell, for drivers that are to be killed; inputs come after it."""
    import sys

    words = [sys.executable, "-m", "vidstyle", "run", "--ray", cluster.address, "--style", style, "--style-size", "32"]
    options = {"model": tiny_model, "engine": "torch", "device": "cpu", "precision": "fp32", "threads": 1, "chunk": 3}
    return [*words, *(str(word) for name, value in options.items() for word in (f"--{name}", value))]


@pytest.fixture
def environment() -> dict[str, str]:
    """Of drivers in processes of their own."""
    return dict(os.environ)
