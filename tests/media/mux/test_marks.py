"""Marks and tags that reach the output: spheres, two eyes, places and cameras."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import av
import pytest

from tests.helpers.boxes import in_sample_entry, spherical, stereo
from vidstyle.media.input.probe import probe
from vidstyle.media.mux.tags import clean_tags, needs_keys
from vidstyle.media.spherical import SphericalMarks

QUICKTIME = {
    "com.apple.quicktime.location.ISO6709": "+48.1371+011.5754+520/",
    "com.apple.quicktime.make": "Maker",
    "com.apple.quicktime.model": "Telephone 1",
    "com.apple.quicktime.creationdate": "2024-01-08T15:06:17+0100",
    "creation_time": "2024-01-08T14:06:17.000000Z",
    "title": "A day",
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize(
    "added",
    [
        spherical(30, 10, -5),
        stereo(1) + spherical(0, 0, 0),
        stereo(2),
        spherical(0, 0, 0, (0, 0, 1 << 30, 1 << 30)),  # the middle half of a turn
    ],
    ids=["turned", "above", "beside", "half"],
)
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_spherical_and_stereo_marks_are_kept(
    films: Any, make_clip: Any, tmp_path: Path, suffix: str, added: bytes, codec: str
) -> None:
    options = {"x265-params": "log-level=error"} if codec == "libx265" else {}
    path, output = make_clip("a.mp4", codec=codec, sound="aac", options=options), tmp_path / f"out{suffix}"
    path.write_bytes(in_sample_entry(path.read_bytes(), added))
    marks = probe(path).spherical
    assert marks is not None
    times, warnings = films.copy(path, output, tmp_path)
    assert len(films.times(output)) == len(times)
    if suffix == ".mov":
        assert len(warnings) == 1
        assert ".mov keeps that the film is spherical or stereo, but not how" in warnings[0]
    else:
        assert warnings == []
        assert probe(output).spherical == marks
        assert b"vexu" not in output.read_bytes()


def test_an_ordinary_film_has_no_marks(make_clip: Any) -> None:
    assert probe(make_clip("a.mp4")).spherical is None


def test_what_boxes_cannot_say() -> None:
    assert SphericalMarks(stereo=3).boxes() is None  # frame by frame
    fisheye = (5, 0, 0, 0, 0, 0, 0, 0, 0)
    assert SphericalMarks(fisheye).boxes() is None
    assert SphericalMarks.parse(None, None) is None
    assert SphericalMarks.parse(None, (8).to_bytes(4, "little") + bytes(32)) is None


def test_a_mark_that_cannot_be_written_is_said(
    films: Any, make_clip: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_clip("a.mp4")
    path.write_bytes(in_sample_entry(path.read_bytes(), spherical(0, 0, 0)))
    monkeypatch.setattr(SphericalMarks, "boxes", lambda _: None)
    _, warnings = films.copy(path, tmp_path / "out.mp4", tmp_path)
    assert len(warnings) == 1
    assert "mark of a spherical or stereo film is left out" in warnings[0]


def tagged(path: Path, tags: dict[str, str]) -> Path:
    """A film with QuickTime's list of keys."""
    with av.open(str(path), "w", container_options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(tags)
        stream = cast(Any, container.add_stream("libx264", rate=25))
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode())
    return path


def tags_of(path: Path) -> dict[str, str]:
    with av.open(str(path)) as container:
        return dict(container.metadata)


@pytest.mark.parametrize("way", [(".mov",), (".mp4",), (".mkv", ".mov"), (".mkv", ".mp4")], ids=str)
def test_what_a_telephone_wrote_is_kept(films: Any, tmp_path: Path, way: tuple[str, ...]) -> None:
    """Also on the way through Matroska, which writes all names in capitals."""
    path = tagged(tmp_path / "phone.mov", QUICKTIME)
    for suffix in way:
        source, path = path, tmp_path / f"out{suffix}"
        _, warnings = films.copy(source, path, tmp_path)
        assert warnings == []
    got = {k: v.replace(".000000Z", "Z") for k, v in tags_of(path).items()}
    assert QUICKTIME.items() <= (got | {"creation_time": got["creation_time"].replace("Z", ".000000Z")}).items()


def test_other_films_keep_the_list_that_players_read(films: Any, tmp_path: Path) -> None:
    path = tagged(tmp_path / "a.mp4", {"title": "A day", "artist": "Someone"})
    films.copy(path, tmp_path / "out.mp4", tmp_path)
    assert "\xa9nam".encode("latin-1") in (tmp_path / "out.mp4").read_bytes()
    assert tags_of(tmp_path / "out.mp4")["title"] == "A day"


def test_which_tags_are_kept_and_how() -> None:
    assert clean_tags({"title": "x", "ENCODER": "y", "major_brand": "isom", "BPS-eng": "1"}) == {"title": "x"}
    assert clean_tags({"COM.APPLE.QUICKTIME.LOCATION.ISO6709": "x"}) == {"com.apple.quicktime.location.ISO6709": "x"}
    assert needs_keys({"com.android.version": "14"}, "mp4")
    assert needs_keys({"make": "Maker"}, "mov")
    assert not needs_keys({"com.android.version": "14"}, "matroska")
    assert not needs_keys({"title": "x", "comment": "y"}, "mp4")
