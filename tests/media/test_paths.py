"""Numbered names and folders: what is found, in which order, and what is an ordinary file."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.media.paths import NumberedName, find_images, find_videos


def names(paths: tuple[Path, ...]) -> list[str]:
    return [p.name for p in paths]


@given(st.text("ab-_. é", max_size=4), st.integers(0, 8), st.text("xy_.", max_size=3), st.integers(0, 10**6))
def test_names_there_and_back(before: str, digits: int, after: str, number: int) -> None:
    written = f"{before}%0{digits}d{after}.png" if digits else f"{before}%d{after}.png"
    name = NumberedName.parse(Path("folder") / written)
    assert name is not None
    assert name.path(number) == Path("folder") / (written % number)


@pytest.mark.parametrize("name", ["a.png", "%06d.mp4", "%d%d.png", "100%.png", "%s.png", "%-3d.png", "%d", "a%03dpng"])
def test_ordinary_names(name: str) -> None:
    assert NumberedName.parse(Path(name)) is None


def test_what_exists(tmp_path: Path) -> None:
    for name in [
        "f0002.png",
        "f0010.png",
        "f12345.png",
        "f02.png",
        "f00012.png",
        "f0003.jpg",
        "xf0004.png",
        "f0005.pngx",
    ]:
        (tmp_path / name).touch()
    (tmp_path / "f0006.png").mkdir()
    numbered = NumberedName.parse(tmp_path / "f%04d.png")
    assert numbered is not None
    assert [(n, p.name) for n, p in numbered.existing()] == [(2, "f0002.png"), (10, "f0010.png"), (12345, "f12345.png")]
    plain = NumberedName.parse(tmp_path / "f%d.png")
    assert plain is not None
    assert [n for n, _ in plain.existing()] == [12345]


def test_a_file_that_is_there_is_itself(tmp_path: Path) -> None:
    for name in ("a1.png", "a2.png", "a%d.png"):
        (tmp_path / name).touch()
    assert find_images(tmp_path / "a%d.png") == ()
    (tmp_path / "a%d.png").unlink()
    assert names(find_images(tmp_path / "a%d.png")) == ["a1.png", "a2.png"]
    assert find_images(tmp_path / "b%d.png") == ()
    assert find_images(tmp_path / "nowhere" / "a%d.png") == ()


def test_folders(tmp_path: Path) -> None:
    for name in ("b10.JPG", "b9.jpg", "a.png", ".hidden.png", "film2.mp4", "film10.MKV", "notes.txt", "clip.gif"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    assert names(find_images(tmp_path)) == ["a.png", "b9.jpg", "b10.JPG"]
    assert names(find_videos(tmp_path)) == ["clip.gif", "film2.mp4", "film10.MKV"]
