"""Keyframes: exact at the keys, straight between them, and refusing files that make no sense."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vidstyle.core.errors import InputError
from vidstyle.models.attention import cosine_moments
from vidstyle.models.checkpoint import load_model
from vidstyle.models.style_code import CosineCode, StyleCode
from vidstyle.styles.keyframes import Keyframes, read_keyframes

CSV = "time, mosaic, art:1.jpg\n0, 1, 0\n\n2, 1, 3\n4.5, 0, 2\n"
TOML = """
[[key]]
time = 0
styles = { mosaic = 1 }
[[key]]
time = 2
styles = { mosaic = 1.0, "art:1.jpg" = 3 }
[[key]]
time = 4.5
styles = { "art:1.jpg" = 2 }
"""


def write(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "text"), [("k.csv", CSV), ("k.toml", TOML), ("k.CSV", "\ufeff" + CSV)])
def test_both_forms_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    keys = read_keyframes(write(tmp_path, name, text))
    assert keys.refs == ("mosaic", "art:1.jpg")
    assert keys.times.tolist() == [0, 2, 4.5]
    assert keys.weights.tolist() == [[1, 0], [0.25, 0.75], [0, 1]]


def test_weights_at() -> None:
    keys = Keyframes(
        ("a", "b"), np.array([1.0, 3.0, 4.0]), np.array([[1.0, 0.0], [0.25, 0.75], [0.0, 1.0]]), np.ones(3)
    )
    got = keys.at([-5, 0, 1, 2, 3, 3.5, 4, 100])
    wanted = [[1, 0], [1, 0], [1, 0], [0.625, 0.375], [0.25, 0.75], [0.125, 0.875], [0, 1], [0, 1]]
    assert got.tolist() == wanted
    alone = Keyframes(("a", "b"), np.array([1.0]), np.array([[0.5, 0.5]]), np.ones(1))
    assert alone.at([0, 1, 2]).tolist() == [[0.5, 0.5]] * 3


@given(
    st.lists(st.floats(0, 1e4), min_size=2, max_size=6, unique=True),
    st.lists(st.floats(-10, 2e4), min_size=1, max_size=20),
    st.randoms(use_true_random=False),
)
def test_weights_are_always_a_blend(times: list[float], asked: list[float], random: object) -> None:
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    weights = rng.dirichlet(np.ones(3), len(times))
    keys = Keyframes(("a", "b", "c"), np.sort(times), weights, rng.random(len(times)))
    rows = keys.at(asked)
    assert (rows >= 0).all()
    np.testing.assert_allclose(rows.sum(1), 1, atol=1e-12)
    np.testing.assert_array_equal(keys.at(np.sort(times)), weights)
    for c in range(3):
        np.testing.assert_allclose(rows[:, c], np.interp(asked, np.sort(times), weights[:, c]), atol=1e-9)


def test_strengths(tmp_path: Path) -> None:
    table = read_keyframes(write(tmp_path, "k.csv", "time,strength,a\n0,1,1\n2,0.5,1\n4,0,1\n"))
    assert table.refs == ("a",)
    assert table.strength_at([-1, 0, 1, 2, 3, 4, 9]).tolist() == [1, 1, 0.75, 0.5, 0.25, 0, 0]
    text = "[[key]]\ntime = 0\nstyles = { a = 1 }\n[[key]]\ntime = 1\nstyles = { a = 1 }\nstrength = 0.5\n"
    assert read_keyframes(write(tmp_path, "k.toml", text)).strengths.tolist() == [1, 0.5]


def test_codes_follow_the_weights(tiny_model: Path) -> None:
    """At a key with one style the frame is that style's own frame; between, attention over the weighted union."""
    net = load_model(tiny_model)
    torch.manual_seed(1)
    one, two = (net.encode_style(torch.rand(1, 3, 32, 40)) for _ in range(2))
    keys = Keyframes(("a", "b"), np.array([0.0, 2.0]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.ones(2))
    frames = torch.rand(1, 3, 24, 32).expand(3, -1, -1, -1)
    code = keys.codes([0.0, 0.5, 2.0], [one, two])
    out = net(frames, code)
    # Batches of one size: kernels for another one round otherwise.
    torch.testing.assert_close(out[:1], net(frames, one)[:1], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(out[2:], net(frames, two)[2:], rtol=1e-4, atol=1e-5)
    for mixed, a, b in zip(code.scales[1:3], one.scales[1:3], two.scales[1:3], strict=True):  # the attentions
        assert isinstance(mixed, CosineCode)
        assert isinstance(a, CosineCode)
        assert isinstance(b, CosineCode)
        queries = torch.randn(1, a.matrix.shape[1], 7)
        entry = CosineCode(*(t[1:2] for t in vars(mixed).values()))
        mean, _ = cosine_moments(queries, entry)
        parts = [union_sums(queries, c) for c in (a, b)]
        total = 0.75 * parts[0][1] + 0.25 * parts[1][1]
        wanted = (0.75 * parts[0][0] + 0.25 * parts[1][0]) / total
        torch.testing.assert_close(mean, wanted, rtol=1e-3, atol=1e-4)


def union_sums(queries: torch.Tensor, code: CosineCode) -> tuple[torch.Tensor, torch.Tensor]:
    """sum of weight * value, and sum of weight, over the points of a style (its mean count is 1)."""
    c = code.centre.shape[1]
    q = queries / (queries.norm(dim=1, keepdim=True) + 1e-5)
    num = code.matrix.transpose(1, 2) @ q + code.offset[:, :, None]
    mass = num[:, 2 * c :]
    return num[:, :c] + code.centre[:, :, None] * mass, mass


def test_one_style_alone_is_not_recomputed(tiny_model: Path) -> None:
    code = load_model(tiny_model).encode_style(torch.rand(1, 3, 32, 32))
    keys = Keyframes(("a",), np.array([0.0, 1.0]), np.array([[1.0], [1.0]]), np.ones(2))
    many = keys.codes([0.0, 0.5, 9.0], [code])
    assert isinstance(many, StyleCode)
    for a, b in zip(many.scales, code.scales, strict=True):
        for name, tensor in vars(b).items():
            assert torch.equal(vars(a)[name], tensor.expand(3, *tensor.shape[1:]))


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "time,mosaic\n", "no keyframe"),
        ("a.csv", "when,mosaic\n0,1\n", "first line"),
        ("a.csv", "time,a,a\n0,1,1\n", "first line"),
        ("a.csv", "time,a\n0,1\n1\n", "line 3"),
        ("a.csv", "time,a\n0,1\n0,1\n", "later"),
        ("a.csv", "time,a\n1,1\n0.5,1\n", "later"),
        ("a.csv", "time,a\n-1,1\n", "at least 0"),
        ("a.csv", "time,a\nsoon,1\n", "line 2"),
        ("a.csv", "time,a\n0,0\n", "above 0"),
        ("a.csv", "time,a,b\n0,-1,2\n", "weights"),
        ("a.csv", "time,a\n0,nan\n", "weights"),
        ("a.csv", "time,a\n0,inf\n", "weights"),
        ("a.csv", "time,a,strength\n0,1,3\n", "line 2: the strength '3' must be between 0 and 2"),
        ("a.csv", "time,a,detail\n0,1,1.5\n", "line 2: the detail '1.5' must be between 0 and 1"),
        ("a.toml", "[[key]]\ntime = 0\nstyles = { a = 1 }\ndetail = true\n", "key 1: the detail True"),
        ("a.csv", "time,strength\n0,1\n", "above 0"),
        ("a.toml", "[[key]]\ntime = 0\nstyles = { a = 1 }\nstrength = 'much'\n", "key 1: the strength 'much'"),
        ("a.toml", "key = 3", r"\[\[key\]\]"),
        ("a.toml", "[[key]\n", "TOML"),
        ("a.toml", "[[key]]\ntime = 0\n", "key 1"),
        ("a.toml", "[[key]]\ntime = true\nstyles = { a = 1 }\n", "time"),
        ("a.toml", "[[key]]\ntime = 0\nstyles = {}\n", "above 0"),
    ],
)
def test_bad_files_say_what_and_where(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = write(tmp_path, name, text)
    with pytest.raises(InputError, match=says) as error:
        read_keyframes(path)
    assert str(path) in str(error.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv"):
        read_keyframes(tmp_path / "gone.csv")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match=r"b\.csv"):
        read_keyframes(tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("easing", "halves"), [("linear", [0.25, 0.5, 0.75]), ("smooth", [0.15625, 0.5, 0.84375]), ("hold", [0, 0, 0])]
)
def test_easing(tmp_path: Path, easing: str, halves: list[float]) -> None:
    csv = f"time,mosaic,cubist,strength,easing\n1,1,0,1,{easing}\n3,0,1,0.5,\n4,1,0,1,hold\n"
    toml = (
        f'[[key]]\ntime = 1\nstyles = {{ mosaic = 1 }}\neasing = "{easing}"\n[[key]]\ntime = 3\n'
        "styles = { cubist = 1 }\nstrength = 0.5\n"
        '[[key]]\ntime = 4\nstyles = { mosaic = 1 }\neasing = "hold"\n'
    )
    for name, text in (("k.csv", csv), ("k.toml", toml)):
        keys = read_keyframes(write(tmp_path, name, text))
        assert keys.easings == (easing, "linear", "hold")
        times = [0.0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 9]
        assert keys.at(times)[:, 1].tolist() == [0, 0, *halves, 1, 0.5, 0, 0]
        assert keys.strength_at(times).tolist() == [1, 1, *(1 - half / 2 for half in halves), 0.5, 0.75, 1, 1]


def test_hold_lasts_until_the_very_time_of_the_next_key() -> None:
    keys = Keyframes(("a", "b"), np.array([0.0, 0.7]), np.eye(2), np.ones(2), ("hold", "hold"))
    assert keys.at([np.nextafter(0.7, 0), 0.7])[:, 1].tolist() == [0, 1]


def test_an_easing_that_is_none(tmp_path: Path) -> None:
    path = write(tmp_path, "k.csv", "time,mosaic,easing\n0,1,linear\n2,1,bouncy\n")
    with pytest.raises(InputError, match="line 3: the easing 'bouncy' must be linear, smooth or hold"):
        read_keyframes(path)


def test_detail_is_that_of_the_run_where_keys_say_nothing(tmp_path: Path) -> None:
    csv = "time,a,detail\n0,1,1\n2,1,\n4,1,0\n6,1,0.5\n"
    toml = "".join(
        f"[[key]]\ntime = {time}\nstyles = {{ a = 1 }}\n" + ("" if detail is None else f"detail = {detail}\n")
        for time, detail in ((0, 1), (2, None), (4, 0), (6, 0.5))
    )
    for name, text in (("k.csv", csv), ("k.toml", toml)):
        keys = read_keyframes(write(tmp_path, name, text))
        assert list(keys.details) == [1, None, 0, 0.5]
        assert [keys.detail_at(t, 0.4) for t in (-1, 0, 1, 2, 3, 4, 5, 6, 9)] == [
            1,
            1,
            0.7,
            0.4,
            0.2,
            0,
            0.25,
            0.5,
            0.5,
        ]
    silent = read_keyframes(write(tmp_path, "k.csv", "time,a\n0,1\n"))
    assert silent.detail_at(3.0, 0.4) == 0.4
    assert len(silent.details) == 0
