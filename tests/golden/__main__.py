"""Golden results: run twenty commands of vidstyle on small inputs and compare what they write with what they once wrote.

    python -m tests.golden              # compare; says what differs, exit code 1
    python -m tests.golden make         # write the results of now into tests/golden/results.json, for this kind of machine
    python -m tests.golden print        # the results of now as JSON

Run it in the root of a checkout; --at DIR runs the commands of the package in another one, --fast leaves out those that
convert a network for OpenVINO (three quarters of the time).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.harness import vidstyle_each
from tests.golden import digests, inputs, machine
from tests.golden.commands import COMMANDS

RESULTS = Path(__file__).with_name("results.json")
_ROOT = Path(__file__).resolve().parents[2]


def results(root: Path = _ROOT, *, slow: bool = True) -> dict[str, Any]:
    """What the commands write now, by the command's name. Raises RuntimeError where one fails.

    Args:
        root: checkout whose package is run.
        slow: also those that take ten seconds each.
    """
    commands = [c for c in COMMANDS if slow or not c.slow]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        inputs.make(folder)
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        environment = {**one_thread, "VIDSTYLE_CACHE": f"{name}/cache", "VIDSTYLE_FIT": "0"}
        vidstyle_each([c.arguments for c in commands], root=root, folder=folder, **environment)
        return {c.name: {output: digests.of(folder / output) for output in c.outputs} for c in commands}


def recorded() -> list[dict[str, Any]]:
    """The results that are kept: one object a kind of machine, `{"machine": {}, "commands": {}}`."""
    kept: list[dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return kept


def expected() -> dict[str, Any] | str:
    """What the commands should write here, or why nothing is known: this kind of machine was never recorded."""
    here = machine.kind()
    known = recorded()
    for entry in known:
        if entry["machine"] == here:
            commands: dict[str, Any] = entry["commands"]
            return commands
    return "; ".join(machine.other(entry["machine"], here) for entry in known) or "nothing was recorded"


def _make(found: dict[str, Any]) -> None:
    here = machine.kind()
    kept = [entry for entry in recorded() if entry["machine"] != here]
    RESULTS.write_text(json.dumps([*kept, {"machine": here, "commands": found}], indent=1) + "\n")
    print(f"{RESULTS}: {len(found)} commands, {len(kept) + 1} kinds of machine")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=("compare", "make", "print"), default="compare")
    parser.add_argument("--at", type=Path, default=_ROOT, metavar="DIR", help="checkout whose package is run")
    parser.add_argument("--fast", action="store_true", help="leave the slow commands out (not for make)")
    arguments = parser.parse_args()
    if arguments.fast and arguments.what == "make":
        parser.error("make records all commands")
    wanted = expected() if arguments.what == "compare" else {}
    if isinstance(wanted, str):
        print(f"not compared, another kind of machine: {wanted}")
        return 0
    try:
        found = results(arguments.at.resolve(), slow=not arguments.fast)
    except RuntimeError as error:
        print(error)
        return 1
    if arguments.what == "make":
        _make(found)
        return 0
    if arguments.what == "print":
        print(json.dumps(found, indent=1))
        return 0
    changed = digests.differences({name: wanted[name] for name in found if name in wanted}, found)
    changed += [f"{name}: not recorded; python -m tests.golden make" for name in found if name not in wanted]
    print("\n".join(changed) or f"{len(found)} commands: nothing changed")
    return bool(changed)


if __name__ == "__main__":
    sys.exit(main())
