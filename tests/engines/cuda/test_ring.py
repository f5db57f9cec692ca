"""Whatever order an accelerator chooses, frames come back once, in order, from slots that were free."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.engines.fake_device import FakeDevice
from vidstyle.engines.backoff import Backoff
from vidstyle.engines.cuda.ring import Ring, parts_of

COMPUTE, UPLOAD, DOWNLOAD = 0, 1, 2
"""Names of the streams, in the order in which they are made."""


def frames(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 2, 3, 3), dtype=np.uint8)


def ring_on(
    device: FakeDevice, most: int, slots: int = 3
) -> tuple[Ring[Any, Any], Callable[[Tensor, Tensor, slice], None]]:
    """A ring, and work for it: the negative of a frame."""
    compute = device.stream()

    def negate(given: Tensor, out: Tensor, _: slice) -> None:
        def program() -> None:
            out.copy_(255 - given)

        device.launch(compute, program)

    return Ring(device, compute, most, (2, 3), slots=slots), negate


def first_of(*order: int) -> Callable[[Sequence[int]], int]:
    """A schedule that runs what it can of the first stream, then of the second ..."""
    return lambda names: min(range(len(names)), key=lambda i: order.index(names[i]))


SCHEDULES = [None, *(first_of(*o) for o in ((0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0), (0, 2, 1), (2, 0, 1)))]


@settings(max_examples=150)
@given(
    n=st.integers(1, 23),
    most=st.integers(1, 5),
    slots=st.integers(1, 4),
    seed=st.integers(0, 10**6),
    eager=st.integers(0, 6),
    pick=st.sampled_from(SCHEDULES),
)
def test_no_order_of_execution_mixes_frames(
    n: int, most: int, slots: int, seed: int, eager: int, pick: Callable[[Sequence[int]], int] | None
) -> None:
    device = FakeDevice(seed=seed, eager=eager, pick=pick)
    ring, negate = ring_on(device, most, slots)
    for turn in range(2):  # the second call finds slots that were used
        given = frames(n, turn)
        before = given.copy()
        np.testing.assert_array_equal(ring.run(given, parts_of(n, most), negate), 255 - given)
        np.testing.assert_array_equal(given, before)
        assert not any(stream.ops for stream in device.streams)


class Careless(FakeDevice):
    """Leaves out one of the orders that the ring asks for: the test above must be able to see that."""

    missing = ""

    def wait(self, stream: Any, event: Any) -> None:
        if stream.name != {"compute": COMPUTE, "download": DOWNLOAD}.get(self.missing):
            super().wait(stream, event)

    def finish(self, event: Any) -> None:
        if self.missing != "program":
            super().finish(event)


@pytest.mark.parametrize("missing", ["compute", "download", "program"])
def test_each_of_its_waits_is_needed(missing: str) -> None:
    wrong = 0
    for seed in range(20):
        device = Careless(seed=seed)
        device.missing = missing
        ring, negate = ring_on(device, 2)
        given = frames(12)
        wrong += not np.array_equal(ring.run(given, parts_of(12, 2), negate), 255 - given)
    assert wrong


def test_nothing_keeps_the_next_parts_from_coming_in_during_a_computation() -> None:
    device = FakeDevice(eager=0, pick=first_of(UPLOAD, DOWNLOAD, COMPUTE))
    ring, negate = ring_on(device, 1)
    ring.run(frames(6), [1] * 6, negate)
    assert [name for name, _ in device.log][:4] == [UPLOAD, UPLOAD, UPLOAD, COMPUTE]


@pytest.mark.parametrize(("slots", "ticks"), [(1, 3 * 10), (2, 15 + 1), (3, 10 + 2), (4, 10 + 2)])
def test_time_of_ten_parts(slots: int, ticks: int) -> None:
    """Upload, computation and download take a tick each: with three slots all three are always at work."""
    device = FakeDevice()
    ring, negate = ring_on(device, 1, slots)
    ring.run(frames(10), [1] * 10, negate)
    assert device.time == ticks


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("at", [0, 2, 7])
def test_a_failure_comes_out_and_leaves_nothing_on_its_way(late: bool, at: int) -> None:
    device = FakeDevice(eager=0)
    ring, negate = ring_on(device, 1)

    def broken() -> None:
        raise RuntimeError("an illegal memory access was encountered")

    def work(given: Tensor, out: Tensor, rows: slice) -> None:
        if rows.start == at:
            if not late:
                broken()
            device.launch(ring.compute, broken)  # as CUDA tells: not here, but when something waits
        negate(given, out, rows)

    with pytest.raises(RuntimeError, match="illegal memory access"):
        ring.run(frames(8), [1] * 8, work)
    assert not any(stream.ops for stream in device.streams)
    np.testing.assert_array_equal(ring.run(frames(8), [1] * 8, negate), 255 - frames(8))


@settings(max_examples=30)
@given(n=st.integers(1, 20), room=st.integers(1, 4), seed=st.integers(0, 1000))
def test_short_memory_makes_smaller_parts(n: int, room: int, seed: int) -> None:
    device = FakeDevice(seed=seed)
    ring, negate = ring_on(device, 8)
    sizes: list[int] = []

    def work(given: Tensor, out: Tensor, rows: slice) -> None:
        if len(given) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        sizes.append(len(given))
        negate(given, out, rows)

    result = Backoff(lambda part: ring.run(part, parts_of(len(part), 8), work))(frames(n))
    np.testing.assert_array_equal(result, 255 - frames(n))
    assert sum(sizes) >= n


@given(n=st.integers(1, 100), most=st.integers(1, 20))
def test_parts(n: int, most: int) -> None:
    parts = parts_of(n, most)
    assert sum(parts) == n
    assert max(parts) <= most
    assert all(p & (p - 1) == 0 for p in parts)
    assert len(parts) > 1 or n == 1
    assert max(parts_of(max(1, n // 2), most)) <= max(parts)


def test_parts_of_usual_calls() -> None:
    assert parts_of(16, 4) == [4, 4, 4, 4]
    assert parts_of(10, 4) == [4, 4, 2]
    assert parts_of(4, 4) == [2, 2]
    assert parts_of(1, 4) == [1]


def test_frames_that_lie_apart_in_memory() -> None:
    device = FakeDevice()
    ring, negate = ring_on(device, 2)
    apart = frames(8)[::2]
    result = ring.run(apart, [2, 2], negate)
    np.testing.assert_array_equal(result, 255 - apart)
    assert result.flags.c_contiguous
