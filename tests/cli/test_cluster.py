"""Which films `vidstyle run --ray` makes, and in which order."""

from pathlib import Path

import pytest

from vidstyle.cli.cluster import inputs_of
from vidstyle.core.errors import UsageError


def test_films_stay_in_the_order_of_the_command_and_of_their_folder(tmp_path: Path) -> None:
    names = [f"film{n}.mp4" for n in range(12)]  # by number, not by letter
    folder = tmp_path / "films"
    folder.mkdir()
    for name in names:
        (folder / name).write_bytes(b"")
    inputs = [Path("s3://bucket/z.mp4"), Path("last.mp4"), folder, Path("first.mp4")]
    assert inputs_of(inputs, lambda _: None) == [
        "last.mp4",
        *(str(folder / name) for name in names),
        "first.mp4",
        "s3://bucket/z.mp4",
    ]


def test_a_film_named_twice_is_refused_as_without_a_cluster() -> None:
    with pytest.raises(UsageError, match="one name"):
        inputs_of([Path("a.mp4"), Path("./a.mp4")], lambda _: None)
