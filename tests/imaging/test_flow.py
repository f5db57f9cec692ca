from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vidstyle.core.errors import InputError, UsageError
from vidstyle.imaging.flow import DisFlow, textured_share
from vidstyle.imaging.image_io import read_image
from vidstyle.metrics.flow_raft import RaftFlow, find_weights
from vidstyle.metrics.warp_error import motion


@given(h=st.integers(1, 40), w=st.integers(1, 40))
def test_dis_takes_any_size(h: int, w: int) -> None:
    frame = np.zeros((h, w, 3), np.uint8)
    flow = DisFlow()(frame, frame)
    assert flow.shape == (2, h, w)
    assert flow.dtype == torch.float32


def test_textureless_frames_are_said_to_be() -> None:
    flat = np.full((48, 64, 3), 200, np.uint8)
    ramp = np.broadcast_to(np.arange(64, dtype=np.uint8)[None, :, None] * 3, (48, 64, 3)).copy()
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    assert textured_share(flat) == 0
    # Motion along a ramp's lines cannot be seen: one direction is not enough.
    assert textured_share(ramp) == 0
    assert textured_share(noise) > 0.99
    # The visibility test alone is fooled: flow of nothing agrees with itself.
    assert motion(DisFlow(), flat, flat).share == 1


@pytest.fixture(scope="module")
def raft_small_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from torchvision.models.optical_flow import raft_small  # type: ignore[import-untyped]

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = raft_small(weights=None)
    path = tmp_path_factory.mktemp("raft") / "raft.pth"
    torch.save(net.state_dict(), path)
    return path


def test_raft_runs_a_weights_file_at_any_size(raft_small_file: Path) -> None:
    raft = RaftFlow(raft_small_file)
    assert raft.name == "raft-small"
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 37, 135, 3), np.uint8)
    flow = raft(first, second)
    assert flow.shape == (2, 37, 135)
    assert flow.dtype == torch.float32
    assert torch.isfinite(flow).all()


def test_raft_refuses_other_files(tmp_path: Path, raft_small_file: Path) -> None:
    rubbish = tmp_path / "rubbish.pth"
    rubbish.write_bytes(b"not weights")
    with pytest.raises(InputError, match="cannot read RAFT weights"):
        RaftFlow(rubbish)
    other = tmp_path / "other.pth"
    torch.save({"a": torch.zeros(1)}, other)
    with pytest.raises(InputError, match="not the weights"):
        RaftFlow(other)
    with pytest.raises(InputError, match="cannot read"):
        RaftFlow(tmp_path / "missing.pth")


def test_raft_weights_are_looked_for_and_never_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UsageError, match="--raft-weights"):
        find_weights(None)
    cache = tmp_path / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    small, large = cache / "raft_small_C_T_V2-01064c6d.pth", cache / "raft_large_C_T_SKHT_V2-ff5fadd5.pth"
    small.touch()
    assert find_weights(None) == small
    large.touch()
    assert find_weights(None) == large
    assert find_weights(tmp_path / "mine.pth") == tmp_path / "mine.pth"


def end_point_errors(
    first: Path, second: Path, truth: NDArray[np.float64], known: NDArray[np.bool_]
) -> NDArray[np.float64]:
    a, b = (read_image(p) for p in (first, second))
    flow = DisFlow()(a, b)
    return np.linalg.norm(flow.numpy().transpose(1, 2, 0) - truth, axis=-1)[known]


@pytest.mark.slow
def test_end_point_errors_on_real_pairs(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints what docs/metrics.md records: pytest -m slow -s tests/metrics/test_flow.py"""
    kitti, stereo = data_dir / "flow" / "kitti_pair", data_dir / "flow" / "motorcycle_stereo"
    coded = cv2.imread(str(kitti / "flow_gt.png"), cv2.IMREAD_UNCHANGED).astype(np.float64)
    truth = (coded[..., [2, 1]] - 32768) / 64
    disparity = np.load(stereo / "motorcycle_disp.npz")["arr_0"].astype(np.float64)
    known = np.isfinite(disparity)
    shift = np.stack([-np.where(known, disparity, 0), np.zeros_like(disparity)], -1)
    cases = {
        "KITTI": (kitti / "frame1.png", kitti / "frame2.png", truth, coded[..., 0] > 0),
        "KITTI, under 10 px": (
            kitti / "frame1.png",
            kitti / "frame2.png",
            truth,
            (coded[..., 0] > 0) & (np.linalg.norm(truth, axis=-1) < 10),
        ),
        "Motorcycle": (stereo / "motorcycle_left.png", stereo / "motorcycle_right.png", shift, known),
    }
    found = {}
    for name, case in cases.items():
        error = end_point_errors(*case)
        found[name] = error.mean(), np.median(error)
        with capsys.disabled():
            print(
                f"\n{name}: mean {error.mean():.2f} px, median {np.median(error):.2f}, over 3 px {(error > 3).mean():.1%}"
            )
    assert found["KITTI, under 10 px"][0] < 1.2
    assert found["Motorcycle"][1] < 0.3
