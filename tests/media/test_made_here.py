"""Every container says that its film is painted, where other programs look for it."""

from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from vidstyle.core.provenance import STATEMENT, XMP
from vidstyle.imaging.image_tags import png_with_xmp
from vidstyle.media.input.probe import probe
from vidstyle.media.live.broadcast import Broadcast
from vidstyle.media.made_here import made_here
from vidstyle.media.mux.mux import mux


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm", ".nut"])
def test_a_film_says_it_in_its_comment(suffix: str, make_clip: Any, tmp_path: Path) -> None:
    codec = "libvpx-vp9" if suffix == ".webm" else "libx264"
    part = make_clip("part.nut", frames=3, codec=codec)
    source = make_clip("in.mkv", frames=3, metadata={"comment": "by somebody"})
    output = tmp_path / f"out{suffix}"
    mux([part], probe(source), output)
    with av.open(str(output)) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
    assert tags["comment"] == f"by somebody\n{STATEMENT}"
    assert made_here(output)
    assert not made_here(source)
    again = tmp_path / f"again{suffix}"
    mux([part], probe(source), again)
    assert again.read_bytes() == output.read_bytes()


def test_a_live_film_says_it_too(tmp_path: Path, make_clip: Any) -> None:
    with Broadcast(str(tmp_path / "out.mkv"), (64, 48)) as out:
        out.write(make_clip.pattern(0, 64, 48))
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.metadata["COMMENT"] == STATEMENT


def test_a_packet_goes_into_a_png_beside_its_samples(make_clip: Any, tmp_path: Path) -> None:
    picture = Image.fromarray(make_clip.pattern(3, 40, 30))
    plain, told = tmp_path / "plain.png", tmp_path / "told.png"
    picture.save(plain)
    told.write_bytes(png_with_xmp(plain.read_bytes(), XMP))
    with Image.open(told) as made:
        made.load()
        assert made.info["xmp"] == XMP
        assert made.tobytes() == picture.tobytes()
