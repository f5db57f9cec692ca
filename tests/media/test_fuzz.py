"""300 spoilt files through probe and a full read, in a process with limits: a film, or one sentence; never more."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ClipMaker
from tests.mutations import spoilt_files

COUNT = 300

# One process reads many files; it prints one line for each before and after, so that a crash names its file.
READER = """
import json, sys, time, warnings
from pathlib import Path
from vidstyle.core.errors import InputError
from vidstyle.media.input.probe import probe
from vidstyle.media.input.reader import read_frames
warnings.simplefilter("ignore")
for name in Path(sys.argv[1]).read_text().split():
    print(json.dumps({"begin": name}), flush=True)
    begun = time.monotonic()
    try:
        frames = len(list(read_frames(probe(Path(name)), max_errors=1.0, threads=1)))
        result = f"{frames} frames"
    except InputError as error:
        assert name in str(error) and "\\n" not in str(error), str(error)
        result = "refused"
    print(json.dumps({"end": name, "result": result, "seconds": time.monotonic() - begun}), flush=True)
"""


@pytest.mark.timeout(900)
def test_no_crash_no_hang_no_traceback(make_clip: ClipMaker, tmp_path: Path) -> None:
    names = [str(path) for path in spoilt_files(tmp_path, make_clip, COUNT, seed=2026)]
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
