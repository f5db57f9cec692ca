"""Segments on their way: what does not arrive whole is not noted."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from vidstyle.cluster import delivery
from vidstyle.cluster.delivery import DamagedSegment, Delivery, delivered, receive
from vidstyle.pipeline.plan.journal import Journal


@pytest.fixture
def journals(tmp_path: Path, make_clip: Any) -> tuple[Journal, Journal]:
    """A driver's empty one, and a worker's with segment 3 of ten frames."""
    own, worker = (Journal.create(tmp_path / name, {"of": name}) for name in ("driver", "worker"))
    worker.partial(3).write_bytes(make_clip("clip.mkv", frames=10).read_bytes())
    worker.finish(3, 10)
    return own, worker


@pytest.mark.parametrize("small", [0, 1 << 20])
def test_arrives(journals: tuple[Journal, Journal], small: int, monkeypatch: pytest.MonkeyPatch) -> None:
    own, worker = journals
    monkeypatch.setattr(delivery, "SMALL", small)
    (segment,) = delivered(worker, Delivery.to(own))
    assert (segment.data is None) == (small == 0)
    receive(segment, own)
    assert own.done == {3: 10}
    assert own.path(3).read_bytes() == worker.path(3).read_bytes()
    assert not list(own.folder.glob("*.part"))


def test_another_folder_of_the_same_name_is_not_written_to(
    journals: tuple[Journal, Journal], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, worker = journals
    monkeypatch.setattr(delivery, "SMALL", 0)
    elsewhere = replace(Delivery.to(own), proof="that of the driver's own folder")
    (segment,) = delivered(worker, elsewhere)
    assert segment.data == worker.path(3).read_bytes()


def test_what_is_damaged_is_not_noted(journals: tuple[Journal, Journal], monkeypatch: pytest.MonkeyPatch) -> None:
    own, worker = journals
    (segment,) = delivered(worker, Delivery.to(own))
    assert segment.data is not None
    with pytest.raises(DamagedSegment, match="arrived damaged"):
        receive(replace(segment, data=segment.data[:-1] + b"?"), own)
    with pytest.raises(DamagedSegment, match="not whole"):
        receive(replace(segment, frames=11), own)
    monkeypatch.setattr(delivery, "SMALL", 0)
    (shared,) = delivered(worker, Delivery.to(own))
    with pytest.raises(DamagedSegment, match="cannot be read"):
        receive(replace(shared, file="nothing.part"), own)
    (own.folder / str(shared.file)).write_bytes(b"torn")
    with pytest.raises(DamagedSegment):
        receive(shared, own)
    assert own.done == {}
    assert not own.path(3).exists()
