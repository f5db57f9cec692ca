"""300 spoilt files through probe and a full read, in a process with limits: a film, or one sentence; never more."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SEEDS = {
    "mp4": {"codec": "libx264", "sound": "aac"},
    "mov": {"codec": "mpeg4", "sound": "aac"},
    "mkv": {"codec": "libx264", "sound": "libopus"},
    "webm": {"codec": "libvpx-vp9", "sound": "libopus", "options": {"cpu-used": "8"}},
    "avi": {"codec": "mpeg4", "sound": "libmp3lame"},
    "ts": {"codec": "libx264", "sound": "ac3"},
    "mpg": {"codec": "mpeg2video", "sound": "mp2"},
    "gif": {"codec": "gif", "pix_fmt": "rgb8", "rate": 10},
}
COUNT = 300

# One process reads many files; it prints one line for each before and after, so that a crash names its file.
READER = """
import json, sys, time, warnings
from pathlib import Path
from vidstyle.errors import InputError
from vidstyle.media.probe import probe
from vidstyle.media.reader import read_chunks
warnings.simplefilter("ignore")
for name in Path(sys.argv[1]).read_text().split():
    print(json.dumps({"begin": name}), flush=True)
    begun = time.monotonic()
    try:
        frames = sum(len(c) for c in read_chunks(probe(Path(name)), chunk=8, max_errors=1.0, threads=1))
        result = f"{frames} frames"
    except InputError as error:
        assert name in str(error) and "\\n" not in str(error), str(error)
        result = "refused"
    print(json.dumps({"end": name, "result": result, "seconds": time.monotonic() - begun}), flush=True)
"""


def mutate(data: bytes, rng: np.random.Generator, kind: int) -> bytes:
    """One of: flipped bits, a cut, a piece left out, a piece repeated, a large number in a box or element size."""
    spoilt = bytearray(data)
    n = len(spoilt)
    if kind == 0:
        for position in rng.integers(0, n, int(rng.integers(1, 200))):
            spoilt[position] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del spoilt[int(rng.integers(1, n)) :]
    elif kind == 2:
        start = int(rng.integers(0, n))
        del spoilt[start : start + int(rng.integers(1, max(2, n // 4)))]
    elif kind == 3:
        start = int(rng.integers(0, n))
        piece = spoilt[start : start + 500]
        spoilt[start:start] = piece
    else:
        for _ in range(3):
            position = int(rng.integers(0, max(1, n - 4)))
            spoilt[position : position + 4] = int(rng.choice([0, 1, 2**31 - 1, 2**32 - 1, n])).to_bytes(4, "big")
    return bytes(spoilt)


@pytest.mark.timeout(900)
def test_no_crash_no_hang_no_traceback(make_clip, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    corpus = [make_clip(f"seed.{s}", frames=20, **options).read_bytes() for s, options in SEEDS.items()]
    rng = np.random.default_rng(2026)
    names = []
    for i in range(COUNT):
        which = i % len(corpus)
        path = tmp_path / f"{i:03d}.{list(SEEDS)[which]}"
        path.write_bytes(mutate(corpus[which], rng, int(rng.integers(5))))
        names.append(str(path))
    listing = tmp_path / "names"
    listing.write_text("\n".join(names))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

    done = subprocess.run(
        [sys.executable, "-c", READER, str(listing)], capture_output=True, text=True, timeout=800, preexec_fn=limit
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    last = lines[-1] if lines else {}
    assert done.returncode == 0, (last, done.returncode, done.stderr[-2000:])
    results = [line for line in lines if "end" in line]
    assert len(results) == COUNT
    assert max(r["seconds"] for r in results) < 30
    # Mutations must reach the decoder, not only the front door.
    assert sum(r["result"] != "refused" for r in results) > COUNT // 3
