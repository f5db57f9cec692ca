"""Fits of a tiny network, two steps each: what is kept, what it depends on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vidstyle.models.checkpoint import load_model, load_style, save_fitted_code
from vidstyle.models.compact import CompactNet
from vidstyle.models.model_files import read_metadata
from vidstyle.models.style_code import StyleCode
from vidstyle.styles.fit import optimise
from vidstyle.styles.fit.crops import REACH, crop, photos
from vidstyle.styles.fit.optimise import Art, Fit, fit
from vidstyle.styles.fit.settings import BALANCES, Balance, FitSettings

SETTINGS = FitSettings(steps=2, paint_size=64)


@pytest.fixture(scope="module")
def net(tiny_model: Path) -> CompactNet:
    model = load_model(tiny_model)
    assert isinstance(model, CompactNet)
    return model


@pytest.fixture(scope="module")
def art() -> NDArray[np.uint8]:
    rng = np.random.default_rng(5)
    return np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((6, 6, 1))).astype(np.uint8)


def fitted(net: CompactNet, art: NDArray[np.uint8], settings: FitSettings = SETTINGS) -> Fit:
    return fit(net, [Art(art, art)], settings, side=48)


def same(a: StyleCode, b: StyleCode) -> bool:
    return all(
        torch.equal(x, y)
        for s, t in zip(a.scales, b.scales, strict=True)
        for x, y in zip(vars(s).values(), vars(t).values(), strict=True)
    )


@pytest.fixture(scope="module")
def once(net: CompactNet, art: NDArray[np.uint8]) -> Fit:
    return fitted(net, art)


def test_it_is_better_than_what_was_read(once: Fit) -> None:
    assert once.share > 0
    assert once.kept.total < once.read.total
    assert once.change is None


def test_the_same_again_is_the_same(net: CompactNet, art: NDArray[np.uint8], once: Fit) -> None:
    assert same(fitted(net, art).code, once.code)


def test_a_fit_that_makes_it_worse_is_not_kept(
    net: CompactNet, art: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only values out of range count, and steps are so long that they leave it.
    only_range = Balance(gram=0, moments=0, content=0, legibility=0, shift=0, grid=0)
    monkeypatch.setitem(BALANCES, "even", only_range)
    for rate in ("CODE_RATE", "MATRIX_RATE"):
        monkeypatch.setattr(optimise, rate, 500.0)
    wild = fitted(net, art)
    assert wild.share == 0
    assert wild.kept is wild.read
    assert same(wild.code, net.encode_style(torch.from_numpy(art).permute(2, 0, 1)[None].float() / 255))


def test_the_balance_matters(net: CompactNet, art: NDArray[np.uint8], once: Fit) -> None:
    assert not same(fitted(net, art, replace(SETTINGS, balance="bold")).code, once.code)
    assert BALANCES["steady"].shift > BALANCES["even"].shift > BALANCES["bold"].shift


def test_a_deep_fit_changes_the_decoder_and_fits_in_a_small_file(
    net: CompactNet, art: NDArray[np.uint8], tmp_path: Path
) -> None:
    before = {name: p.clone() for name, p in net.named_parameters()}
    deep = fitted(net, art, replace(SETTINGS, deep=True))
    assert deep.change is not None
    assert all(torch.equal(p, before[name]) for name, p in net.named_parameters())  # the model itself is left alone
    assert not any(name.startswith(("encoder", "attend")) for name in deep.change.deltas)
    assert any(float(delta.abs().max()) > 0 for delta in deep.change.deltas.values())
    path = tmp_path / "deep.safetensors"
    save_fitted_code(StyleCode(deep.code.scales, deep.change), path, "0" * 64, {"fit": {"name": "art"}})
    again = load_style(path)
    assert again.model == "0" * 64
    assert read_metadata(path)["fit"] == {"name": "art"}
    assert again.change is not None
    assert again.change.deltas.keys() == deep.change.deltas.keys()
    assert again.change.ranges == deep.change.ranges


def test_ranges_for_eight_bits_are_kept_only_where_eight_bits_do_little_harm(
    net: CompactNet, art: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(SETTINGS, deep=True)
    for most, kept in ((255.0, True), (0.0, False)):
        monkeypatch.setattr(optimise, "MOST_ROUNDING", most)
        change = fitted(net, art, settings).change
        assert change is not None
        assert bool(change.ranges) is kept
        assert all(low <= 0 <= high for low, high in change.ranges.values())


def test_sizes_of_the_files_of_the_model_that_ships(tmp_path: Path) -> None:
    from vidstyle.models.weight_change import WeightChange, fitted_parameters

    net = load_model("compact")
    code = net.encode_style(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    change = WeightChange({name: torch.zeros_like(p) for name, p in fitted_parameters(net).items()})
    save_fitted_code(code, tmp_path / "code.safetensors", "0" * 64, {})
    save_fitted_code(StyleCode(code.scales, change), tmp_path / "deep.safetensors", "0" * 64, {})
    assert (tmp_path / "code.safetensors").stat().st_size < 60_000
    assert (tmp_path / "deep.safetensors").stat().st_size < 300_000


def test_photos_ship_small_and_credited() -> None:
    folder = Path(optimise.__file__).parent / "photos"
    files = sorted(folder.glob("*.webp"))
    assert len(files) == len(photos()) >= 12
    assert sum(f.stat().st_size for f in files) < 1_000_000
    credits = (folder / "CREDITS.md").read_text()
    assert all(f.stem in credits or f.stem.startswith("scene-") for f in files)


def test_crops_depend_on_their_seed_alone() -> None:
    pictures = photos()
    one, two = (crop(pictures, np.random.default_rng(7), 64) for _ in range(2))
    assert torch.equal(one, two)
    assert one.shape == (1, 3, 64 + REACH, 64 + REACH)
    assert 0 <= float(one.min()) <= float(one.max()) <= 1


def test_a_blend_is_fitted_as_one_style(net: CompactNet, art: NDArray[np.uint8], once: Fit) -> None:
    alike = fit(net, [Art(art, art, 3.0), Art(art, art, 1.0)], SETTINGS, side=48)
    for a, b in zip(alike.code.scales, once.code.scales, strict=True):
        for name, value in vars(b).items():
            torch.testing.assert_close(getattr(a, name), value, rtol=1e-2, atol=1e-2)
    other = np.ascontiguousarray(255 - art)
    assert not same(fit(net, [Art(art, art), Art(other, other)], SETTINGS, side=48).code, once.code)
