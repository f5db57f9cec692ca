"""Three threads: everything arrives in order, any failure stops all, nothing is left behind."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidstyle.pipeline.stages.threads import run_stages


def each(work: Callable[[Any], Any]) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A model stage that takes one item at a time."""

    def stage(items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            done = work(item)
            del item
            yield done
            del done

    return stage


class Sink:
    """Collects; remembers how it was left."""

    def __init__(self) -> None:
        self.got: list[int] = []
        self.left_with: list[object] = []

    def __enter__(self) -> Any:
        return self.write

    def write(self, item: int) -> None:
        self.got.append(item)

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.left_with.append(kind)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert not [t for t in threading.enumerate() if t not in before and t.name.startswith("vidstyle")]


@settings(max_examples=25)
@given(n=st.integers(0, 30), depth=st.integers(1, 4))
def test_all_items_in_order(n: int, depth: int) -> None:
    sink = Sink()
    run_stages(range(n), each(lambda x: x * x), sink, depth=depth)
    assert sink.got == [x * x for x in range(n)]
    assert sink.left_with == [None]


class Broken(Exception):
    pass


@pytest.mark.parametrize("stage", ["decode", "model", "encode", "enter", "leave"])
def test_error_of_each_stage_is_the_one_seen(stage: str) -> None:
    closed = []

    def source() -> Iterator[int]:
        try:
            for i in range(100):
                if stage == "decode" and i == 5:
                    raise Broken(stage)
                yield i
        finally:
            closed.append(True)

    def work(x: int) -> int:
        if stage == "model" and x == 5:
            raise Broken(stage)
        return x

    class Fragile(Sink):
        def __enter__(self) -> Any:
            if stage == "enter":
                raise Broken(stage)
            return super().__enter__()

        def write(self, item: int) -> None:
            if stage == "encode" and item == 5:
                raise Broken(stage)
            super().write(item)

        def __exit__(self, kind: object, error: object, trace: object) -> None:
            super().__exit__(kind, error, trace)
            if stage == "leave":
                raise Broken(stage)

    sink = Fragile()
    with pytest.raises(Broken, match=stage):
        run_stages(source(), each(work), sink)
    assert closed == [True]
    if stage == "leave":
        assert sink.left_with == [None]
        assert sink.got == list(range(100))
    else:
        assert sink.got == list(range(len(sink.got)))
        assert len(sink.got) <= 5
        assert sink.left_with == ([] if stage == "enter" else [sink.left_with[0]])
        assert None not in sink.left_with


@pytest.mark.parametrize("slow", ["model", "encode"])
def test_queues_are_bounded(slow: str) -> None:
    produced = 0
    ahead = []

    def source() -> Iterator[int]:
        nonlocal produced
        for i in range(40):
            produced += 1
            yield i

    class Slow(Sink):
        def write(self, item: int) -> None:
            if slow == "encode":
                time.sleep(0.003)
            ahead.append(produced - len(self.got))
            super().write(item)

    def work(x: int) -> int:
        if slow == "model":
            time.sleep(0.003)
        return x

    run_stages(source(), each(work), Slow(), depth=2)
    # Two queues of two, and one item in the hands of each stage.
    assert max(ahead) <= 2 * 2 + 3
    assert len(ahead) == 40


@pytest.mark.usefixtures("interruptible")
def test_interrupt_stops_everything() -> None:
    sink = Sink()

    def work(x: int) -> int:
        if x == 3:
            _thread.interrupt_main()
        time.sleep(0.01)
        return x

    def endless() -> Iterator[int]:
        i = 0
        while True:
            yield i
            i += 1

    with pytest.raises(KeyboardInterrupt):
        run_stages(endless(), each(work), sink)
    assert sink.got == list(range(len(sink.got)))
    assert len(sink.left_with) == 1
    assert sink.left_with[0] is not None


def test_busy_time_leaves_waiting_out() -> None:
    def work(x: int) -> int:
        time.sleep(0.02)
        return x

    seconds = run_stages(range(5), each(work), Sink())
    assert seconds.model >= 0.1
    assert seconds.decode < 0.05
    assert seconds.encode < 0.05


def test_memory_of_an_item_is_freed_before_the_next_is_waited_for() -> None:
    import weakref

    class Item:
        pass

    alive: list[weakref.ref[Item]] = []
    most = 0

    def source() -> Iterator[Item]:
        nonlocal most
        for _ in range(30):
            item = Item()
            alive.append(weakref.ref(item))
            most = max(most, sum(r() is not None for r in alive))
            yield item
            del item

    run_stages(source(), each(lambda x: x), Discard(), depth=1)
    # One in each queue, one in the hands of each stage, and the one being made.
    assert most <= 2 + 3 + 1


class Discard(Sink):
    def __enter__(self) -> Any:
        return lambda item: time.sleep(0.001)

    def __exit__(self, *_: object) -> None:
        pass


def test_a_stage_that_gathers_is_busy_only_while_it_works() -> None:
    """That the model waits for several frames before it begins is not its own time; what it holds at the end is given on."""

    def source() -> Iterator[int]:
        for i in range(7):
            time.sleep(0.02)
            yield i

    def pairs(items: Iterable[int]) -> Iterator[int]:
        held: list[int] = []
        for item in items:
            held.append(item)
            if len(held) == 3:
                time.sleep(0.01)
                yield from held
                held.clear()
        yield from held

    sink = Sink()
    seconds = run_stages(source(), pairs, sink)
    assert sink.got == list(range(7))
    assert 0.02 <= seconds.model < 0.1
    assert seconds.decode >= 0.14


def test_a_stage_that_fails_closes_the_model() -> None:
    closed = []

    def work(items: Iterable[int]) -> Iterator[int]:
        try:
            yield from items
        finally:
            closed.append(True)

    class Fragile(Sink):
        def write(self, item: int) -> None:
            raise Broken("encode")

    with pytest.raises(Broken, match="encode"):
        run_stages(range(100), work, Fragile())
    assert closed == [True]
