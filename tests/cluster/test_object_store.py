"""Films from and to an S3-compatible server on this machine: moto's, which knows neither real latencies nor permissions."""

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidstyle.cluster import open_video
from vidstyle.cluster.storage import exists, shown, videos_at
from vidstyle.core.errors import InputError

SECRET = "a-secret-that-nobody-tells"


@pytest.fixture(scope="session")
def bucket(s3: str) -> Any:
    """An empty bucket, by fsspec."""
    import fsspec

    system = fsspec.filesystem("s3")
    system.mkdir("films")
    return system


@pytest.mark.usefixtures("here")
def test_from_and_to_an_object_store(
    bucket: Any,
    over_ray: Any,
    locally: Any,
    make_clip: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("VIDSTYLE_SCRATCH", str(tmp_path / "scratch"))
    for name, frames in (("a.mp4", 20), ("b.mp4", 8)):
        bucket.put_file(str(make_clip(name, frames=frames, sound="aac")), f"films/in/{name}")
        locally(name, f"own-{name}", segment=Fraction(1, 5))
        Path(name).unlink()
    sources = videos_at("s3://films/in/")
    assert sources == ["s3://films/in/a.mp4", "s3://films/in/b.mp4"]
    options: dict[str, Any] = {"out_dir": Path("s3://films/out"), "segment": Fraction(1, 5)}
    with monkeypatch.context() as patch:

        def refused(file: Path, url: str) -> None:
            raise InputError(f"{shown(url)}: access is denied.")

        patch.setattr(open_video, "publish", refused)
        results, nodes = over_ray(sources, **options)
    assert all("access is denied" in str(error) and "--resume" in str(error) for error in results.values())
    assert not exists("s3://films/out/a.styled.mp4")
    kept = [path for path in (tmp_path / "scratch").rglob("*") if path.is_file()]
    assert {"run.json", "done.jsonl", "a.mp4"} <= {path.name for path in kept}
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)
    results, nodes = over_ray(sources, resume=True, **options)
    assert sum(node["segments"] for node in nodes) == 0
    for name in ("a", "b"):
        report = results[f"s3://films/in/{name}.mp4"]
        assert report.output == f"s3://films/out/{name}.styled.mp4"
        assert bucket.cat_file(f"films/out/{name}.styled.mp4") == Path(f"own-{name}.mp4").read_bytes()
    results, _ = over_ray(sources, **options)
    assert all("exists already" in str(error) for error in results.values())
    assert SECRET not in caplog.text
    logs = Path("/tmp/ray/session_latest").resolve().rglob("*")
    assert not any(SECRET.encode() in path.read_bytes() for path in logs if path.is_file() and path.suffix != ".sock")
