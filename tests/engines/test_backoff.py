"""Short memory halves the call, keeps the order, drops nothing, and says so when nothing helps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.core.errors import InputError
from vidstyle.engines.backoff import Backoff, out_of_memory


def frames(n: int) -> np.ndarray:
    return np.arange(n, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 6, 3), np.uint8)


class Device:
    """Negates frames; has room for `room` of them a call."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.calls: list[int] = []

    def __call__(self, part: np.ndarray) -> np.ndarray:
        self.calls.append(len(part))
        if len(part) > self.room:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return 255 - part


@settings(max_examples=30)
@given(n=st.integers(1, 33), room=st.integers(1, 40))
def test_every_frame_comes_back_once_and_in_order(n: int, room: int) -> None:
    device = Device(room)
    np.testing.assert_array_equal(Backoff(device)(frames(n)), 255 - frames(n))


def test_remembers_what_fitted() -> None:
    device = Device(2)
    work = Backoff(device)
    work(frames(8))
    assert device.calls == [8, 4, 2, 2, 2, 2]
    device.calls.clear()
    work(frames(4))
    assert device.calls == [2, 2]


def test_one_frame_too_many_is_one_sentence() -> None:
    with pytest.raises(InputError, match=r"a frame of 6x4 does not fit in memory; try a smaller --max-side"):
        Backoff(Device(0))(frames(3))


def test_other_failures_pass() -> None:
    def broken(part: np.ndarray) -> np.ndarray:
        raise RuntimeError("expected scalar type Half")

    with pytest.raises(RuntimeError, match="scalar type"):
        Backoff(broken)(frames(2))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("shapes differ"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_signs(error: Exception, expected: bool) -> None:
    assert out_of_memory(error) is expected


def test_torch_out_of_memory_is_known() -> None:
    import torch

    assert out_of_memory(torch.OutOfMemoryError("CUDA out of memory."))
