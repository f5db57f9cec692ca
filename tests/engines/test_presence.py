"""What is told without torch is what torch would say."""

import sys
from pathlib import Path

import pytest
import torch

from vidstyle.engines.presence import absent, has_vnni


def test_processors_are_never_absent() -> None:
    assert absent("cpu") is None


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /dev")
def test_a_driver_s_file_means_there_may_be_a_gpu(tmp_path: Path) -> None:
    assert absent("cuda", nodes=tmp_path) == absent("cuda:1", nodes=tmp_path) == "no CUDA device"
    (tmp_path / "nvidiactl").touch()
    assert absent("cuda", nodes=tmp_path) is None
    assert absent("mps", nodes=tmp_path) == "no Apple GPU (MPS)"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_device_that_is_there_is_not_absent() -> None:
    assert absent("cuda") is None


def test_eight_bit_products_are_those_that_torch_sees(tmp_path: Path) -> None:
    assert has_vnni() == torch.cpu._is_vnni_supported()
    info = tmp_path / "cpuinfo"
    info.write_text("flags : fpu avx512f avx512_vnni\n")
    assert has_vnni(info)
    info.write_text("flags : fpu avx2 avx_vnni\n")
    assert not has_vnni(info)
