"""Blind sheets: sides and order are random, the key tells them truly and lies elsewhere; counts have exact intervals."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks import blind
from benchmarks.blind_sheets import GAP, SIDE, WIDTH, moving_sheet, still_sheet
from benchmarks.blind_tally import count, read_votes, wilson
from benchmarks.films import data_folder

COLOURS = {"red": (255, 0, 0), "blue": (0, 0, 255)}


def flat(colour: tuple[int, int, int], width: int = 64, height: int = 48) -> Any:
    return np.full((height, width, 3), colour, np.uint8)


def test_the_list_is_large_enough_and_was_never_trained_on() -> None:
    from benchmarks.films import CLIPS
    from benchmarks.validation import PAINTINGS

    listed = json.loads(blind.LIST.read_text())
    clips = [c["name"] for c in listed["clips"]]
    assert len(set(clips)) >= 8
    assert len(set(listed["styles"])) >= 8
    assert len(clips) * len(listed["styles"]) >= 60
    assert set(clips) <= set(CLIPS)
    assert set(listed["styles"]) <= set(PAINTINGS)
    if data_folder():
        assert len(blind.pairs_of(blind.LIST)) == 64


@pytest.mark.parametrize("size", [(64, 48), (640, 360), (368, 480), (1280, 720)])
def test_layout(size: tuple[int, int]) -> None:
    """As wide as promised; A is left of B, and both show what they were given."""
    red, blue = (flat(c, *size) for c in COLOURS.values())
    sheet = still_sheet(flat((9, 9, 9)), flat((7, 7, 7), *size), red, blue, (0.9, 0.1))
    assert sheet.shape[1] == WIDTH
    row = sheet[GAP + 60]
    assert set(map(tuple, row[SIDE + 3 * GAP : WIDTH // 2])) == {COLOURS["red"]}
    assert set(map(tuple, row[-WIDTH // 3 : -2 * GAP])) == {COLOURS["blue"]}
    frames = [flat((10 * i, 0, 0), *size) for i in range(6)]
    strips = moving_sheet(flat((9, 9, 9)), frames, frames, [blue] * 6, (0.5, 0.5))
    assert strips.shape[1] <= WIDTH
    seen = {tuple(c) for c in strips.reshape(-1, 3)}
    assert {(10 * i, 0, 0) for i in range(6)} <= seen


def test_other_sizes_are_shown_at_the_source_s() -> None:
    """A method that paints at half the size, or twice, is enlarged or shrunk, not shown smaller."""
    source, red = flat((7, 7, 7)), flat(COLOURS["red"])
    same = still_sheet(source, source, red, red, (0.5, 0.5))
    for size in ((32, 24), (128, 96)):
        assert (still_sheet(source, source, flat(COLOURS["red"], *size), red, (0.5, 0.5)) == same).all()


@pytest.fixture
def data(tmp_path: Path, make_clip: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with two clips and three styles, and their list."""
    folder = tmp_path / "data"
    for name in ("clips", "style"):
        (folder / name).mkdir(parents=True)
    clips = [make_clip(f"data/clips/{name}", frames=9) for name in ("one.mp4", "two.mp4")]
    for i in range(3):
        Image.fromarray(flat((50 * i, 90, 30))).save(folder / "style" / f"art{i}.png")
    listed = {
        "clips": [{"name": p.name, "first": 2, "crop": [0.5, 0.5]} for p in clips],
        "styles": [f"art{i}.png" for i in range(3)],
    }
    (tmp_path / "list.json").write_text(json.dumps(listed))
    monkeypatch.setenv("VIDSTYLE_DATA", str(folder))
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> None:
    monkeypatch.setattr(sys, "argv", ["blind", *map(str, words)])
    blind.main()


def test_sheets_of_folders(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sheet shows as A what the key says is A; both sides occur; nothing in the folder names a method."""
    for name, colour in COLOURS.items():
        (data / name).mkdir()
        for clip in ("one", "two"):
            for i in range(3):
                Image.fromarray(flat(colour)).save(data / name / f"{clip}--art{i}.png")
    words = ("make", data / "sheets", "--list", data / "list.json", "--seed", 3)
    call(monkeypatch, *words, *(w for n in COLOURS for w in ("--method", f"{n}={data / n}")))
    key = json.loads((data / "sheets.key.json").read_text())
    assert len(key["sheets"]) == 6
    assert {s["A"] for s in key["sheets"].values()} == set(COLOURS)
    assert len({(s["clip"], s["style"]) for s in key["sheets"].values()}) == 6
    for number, told in key["sheets"].items():
        sheet = np.asarray(Image.open(data / "sheets" / f"{number}.png"))
        assert tuple(sheet[GAP + 60, WIDTH // 3]) == COLOURS[told["A"]]
        assert tuple(sheet[GAP + 60, -WIDTH // 4]) == COLOURS[told["B"]]
    names = {p.name for p in (data / "sheets").iterdir()}
    assert names == {*(f"{n}.png" for n in key["sheets"]), "votes.csv", "QUESTION.txt"}
    with pytest.raises(SystemExit, match="earlier round"):
        call(monkeypatch, *words, *(w for n in COLOURS for w in ("--method", f"{n}={data / n}")))


def test_moving_sheets_of_options(
    data: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two sets of options go through `vidstyle run`; votes are counted to the end."""
    fast = f"--model {tiny_model} --style-size 32 --engine torch --device cpu"
    methods = ("--method", f"full={fast}", "--method", f"soft={fast} --strength 0.2")
    words = ("make", data / "sheets", "--list", data / "list.json", "--kind", "moving", "--every", 3)
    call(monkeypatch, *words, *methods)
    key = json.loads((data / "sheets.key.json").read_text())
    assert list(key["sheets"]) == ["001", "002"]
    for judge in ("x", "y", "z"):
        rows = [(n, "A" if s["A"] == "soft" else "B") for n, s in key["sheets"].items()]
        with (data / f"{judge}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("sheet", "vote"), *rows])
    votes = [data / f"{judge}.csv" for judge in "xyz"]
    call(monkeypatch, "tally", data / "sheets.key.json", *votes, "--out", data / "out.json")
    assert "no claim: it takes 3 judges and 60 sheets" in capsys.readouterr().out
    (row,) = json.loads((data / "out.json").read_text())["rows"]
    assert (row["first"], row["votes"]["first"], row["votes"]["second"], row["unanimous"]) == ("full", 0, 6, 2)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--method", "one="), "two methods"),
        (("--method", "one", "--method", "two="), "NAME=FOLDER or NAME=OPTIONS"),
        (("--method", "one=", "--method", "two=", "--key", "sheets/key.json"), "judges would find it"),
    ],
)
def test_make_refuses(words: tuple[str, ...], why: str, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    with pytest.raises(SystemExit, match=why):
        call(monkeypatch, "make", "sheets", "--list", data / "list.json", *words)
    assert not (data / "sheets").exists()


def test_known_intervals() -> None:
    """Closed forms: all of n gives n / (n + z^2) to 1; half is symmetric; and the textbook's 7 of 10."""
    low, high = wilson(10, 10)
    assert low == pytest.approx(10 / (10 + 1.959963984540054**2))
    assert high == pytest.approx(1)
    low, high = wilson(32, 64)
    assert low + high == pytest.approx(1)
    assert wilson(7, 10) == pytest.approx((0.3968, 0.8922), abs=1e-4)
    assert wilson(0, 0) == (0, 1)


@given(st.integers(0, 200), st.integers(0, 200))
def test_intervals_hold_the_share_and_mirror(wins: int, losses: int) -> None:
    low, high = wilson(wins, wins + losses)
    assert 0 <= low <= high <= 1
    if wins + losses:
        assert low - 1e-12 <= wins / (wins + losses) <= high + 1e-12
    mirrored = wilson(losses, wins + losses)
    assert (1 - mirrored[1], 1 - mirrored[0]) == pytest.approx((low, high))


def a_round(sheets: int) -> dict[str, Any]:
    """A key in which "new" is A on every second sheet."""
    sides = ({"A": "old", "B": "new"}, {"A": "new", "B": "old"})
    return {"methods": {"old": "", "new": ""}, "sheets": {f"{i:03}": sides[i % 2] for i in range(sheets)}}


def test_counts_by_hand() -> None:
    key = a_round(64)
    for_new = {n: "A" if s["A"] == "new" else "B" for n, s in key["sheets"].items()}
    for_old = {n: "B" if v == "A" else "A" for n, v in for_new.items()}
    undecided = dict.fromkeys(for_new, "=")
    (row,) = count(key, {"a": for_new, "b": for_new, "c": for_old})
    assert (row["votes"]["first"], row["votes"]["second"]) == (64, 128)
    assert (row["sheets"]["first"], row["sheets"]["second"], row["unanimous"]) == (0, 64, 0)
    assert (row["preferred"], row["enough"]) == ("new", True)
    (row,) = count(key, {"a": for_new, "b": for_new})
    assert (row["preferred"], row["enough"]) == (None, False)
    (row,) = count(key, {"a": for_new, "b": for_old, "c": undecided})
    assert (row["sheets"]["undecided"], row["votes"]["undecided"]) == (64, 64)
    assert row["preferred"] is None
    (row,) = count(a_round(30), {j: {n: for_new[n] for n in a_round(30)["sheets"]} for j in "abc"})
    assert (row["sheets"]["interval"][1] < 0.5, row["preferred"]) == (True, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("sheet,vote\n1,A\n2,C\n", "not so sheet 002"),
        ("sheet,vote\n1,A\n", "look at 002"),
        ("sheet,vote\n1,A\n2,b\n3,A\n", "look at 003"),
        ("sheet,vote\n1,A\n2,B\n2,A\n", "twice"),
    ],
)
def test_wrong_votes(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "judge.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=why):
        read_votes(path, ["001", "002"])
