"""Films over a cluster of two nodes are, byte for byte, those of a local run."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidstyle.core.errors import InputError
from vidstyle.pipeline.plan.journal import journal_folder

pytestmark = pytest.mark.usefixtures("here")
HALF = Fraction(1, 2)


def test_films_equal_those_of_a_local_run(over_ray: Any, locally: Any, make_clip: Any) -> None:
    make_clip("long.mp4", frames=60, sound="aac", options={"g": "12"})
    make_clip("short.mkv", frames=7, codec="ffv1", pix_fmt="bgr0")
    Path("bad.mp4").write_text("text")
    results, nodes = over_ray(["short.mkv", "bad.mp4", "long.mp4", "gone.mp4"], out_dir=Path.cwd(), segment=HALF)
    assert isinstance(results["bad.mp4"], InputError)
    assert "bad.mp4: is not a video" in str(results["bad.mp4"])
    assert "gone.mp4: no such file" in str(results["gone.mp4"])
    for name in ("long.mp4", "short.mkv"):
        report, output = results[name], Path(name).stem + ".styled" + Path(name).suffix
        assert report.output == str(Path.cwd() / output)
        own = locally(name, f"own.{output}", segment=HALF)
        assert Path(output).read_bytes() == Path(f"own.{output}").read_bytes()
        same = ("frames", "width", "height", "engine", "device", "precision", "fit", "warnings")
        assert {k: getattr(report, k) for k in same} == {k: getattr(own, k) for k in same}
        assert not journal_folder(Path(output)).exists()
    assert sum(node["frames"] for node in nodes) == 67
    assert sum(node["segments"] for node in nodes) == 6
    assert len(nodes) == 2


def test_a_film_that_cannot_be_sought_in_is_read_once(over_ray: Any, locally: Any, make_clip: Any) -> None:
    make_clip("film.mpg", frames=50, codec="mpeg2video", rate=25)
    results, nodes = over_ray(["film.mpg"], "ray.mkv", segment=HALF)
    locally("film.mpg", "own.mkv", segment=HALF)
    assert results["film.mpg"].frames == 50
    assert Path("ray.mkv").read_bytes() == Path("own.mkv").read_bytes()
    assert [node["segments"] for node in nodes if node["segments"]] == [4]  # one task, on one machine
