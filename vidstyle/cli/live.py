"""`vidstyle live`: a camera, a stream or a video at its own pace, painted as it comes."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vidstyle.cli import options as opts
from vidstyle.core.errors import UsageError, VidstyleError

if TYPE_CHECKING:
    from vidstyle.studio.live.pool import LivePool, Painted


def command(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A camera (/dev/video0), an address, or a file.")],
    style: Annotated[
        list[str],
        typer.Option("--style", metavar="ART", help="What to paint in; repeat for several that keys go over to."),
    ],
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL|FILE|-|v4l2:DEV",
            help="Where to: rtmp, srt, udp ..., a file, - or a device. Default: a page here.",
        ),
    ] = None,
    strength: Annotated[float, typer.Option(metavar="A", min=0, max=1, help="How much style: 0 to 1.")] = 1.0,
    max_side: Annotated[
        int, typer.Option(metavar="N", min=16, help="Frames are shrunk so that the longer side is at most N.")
    ] = 960,
    port: Annotated[int, typer.Option(metavar="N", help="Of the page; 0: any that is free.")] = 7861,
    osc: Annotated[
        str | None,
        typer.Option(metavar="[HOST:]PORT", help="Listen for OSC messages (/vidstyle/style, /mix, /strength ...)."),
    ] = None,
    model: opts.Model = "compact",
    engine: opts.EngineName = "auto",
    device: opts.Device = "auto",
    quiet: opts.Quiet = False,
) -> None:
    """A camera, a stream or a video at its own pace, painted as it comes; late frames are dropped.

    Keys: 1 to 9 a style, n the next one, + and - the strength, q ends it.
    """
    from vidstyle.media.live.broadcast import Broadcast, check_target
    from vidstyle.media.live.capture import frames
    from vidstyle.styles.resolve import located, parse

    for each in style:
        located(parse(each).ref)
    if to is not None:
        check_target(to)
    try:
        from vidstyle.studio.live.mjpeg import MjpegPage
        from vidstyle.studio.live.osc import ADDRESSES, OscServer
    except ModuleNotFoundError as error:
        raise UsageError(
            f'live needs more packages: pip install "vidstyle[studio]" ({error.name} is missing).'
        ) from error
    from vidstyle.imaging.frame import Frame
    from vidstyle.imaging.transforms import resized, target_size
    from vidstyle.studio.live.pool import LivePool

    show = Showing(lambda size: Broadcast(to, size)) if to is not None else Showing()
    page = MjpegPage(port, {} if osc is None else ADDRESSES) if to is None else None
    if page is not None:
        show.write = page.write
    pool = LivePool(model, engine, device, show.take)
    say = (lambda _: None) if quiet else opts.print_status
    controls = Controls(pool, style, strength, say)
    messages: OscServer | None = None
    try:
        controls.pick(0).result()
        messages = None if osc is None else OscServer(osc, style, controls, say)
        say(f"painting {source}: {page.address if page else to}   (keys: 1-9 n + - q)")
        with keys(controls.pressed):
            for number, picture in enumerate(frames(source)):
                height, width = picture.shape[:2]
                size = target_size(width, height, max_side=max_side)
                show.came[number] = time.monotonic()
                pool.offer(number, resized(Frame(picture, 0, 0, 1), size).data)  # type: ignore[arg-type]
                if controls.ended or show.error or pool.error:
                    break
                _say_rate(show, say)
    finally:
        if messages is not None:
            messages.close()
        pool.close()
        show.close()
        if page is not None:
            page.close()
    if show.error or pool.error:
        raise show.error or VidstyleError(str(pool.error))
    say(f"{show.count} frames painted, {show.rate():.1f} a second, {show.latency():.0f} ms from frame to picture")


class Showing:
    """Where painted frames go, and what is measured of them."""

    def __init__(self, make: Callable[[tuple[int, int]], Any] | None = None) -> None:
        self.make = make
        self.sink: Any = None
        self.write: Callable[[Any], None] | None = None
        self.came: dict[int, float] = {}
        self.times: list[tuple[float, float]] = []
        self.count = 0
        self.told = time.monotonic()
        self.paint_size = 0
        self.error: VidstyleError | None = None

    def take(self, done: Painted) -> None:
        """A frame is finished."""
        if self.error is not None:
            return
        try:
            if self.write is None and self.make is not None:
                self.sink = self.make((done.picture.shape[1], done.picture.shape[0]))
                self.write = self.sink.write
            if self.write is not None:
                self.write(done.picture)
        except VidstyleError as error:
            self.error = error
            return
        now = time.monotonic()
        self.count, self.paint_size = self.count + 1, done.paint_size
        self.times = [*self.times[-99:], (now, now - self.came.get(done.number, now))]
        for number in [n for n in self.came if n <= done.number]:
            del self.came[number]

    def rate(self) -> float:
        """Frames per second, of the last hundred."""
        span = self.times[-1][0] - self.times[0][0] if len(self.times) > 1 else 0
        return (len(self.times) - 1) / span if span else 0.0

    def latency(self) -> float:
        """Milliseconds from a frame's coming to its being given on, median."""
        waits = sorted(wait for _, wait in self.times)
        return 1000 * waits[len(waits) // 2] if waits else 0.0

    def close(self) -> None:
        if self.sink is not None:
            with suppress(VidstyleError):
                self.sink.__exit__(None, None, None)


class Controls:
    """Keys and OSC messages to styles and strength."""

    def __init__(self, pool: LivePool, styles: list[str], strength: float, say: Callable[[str], None]) -> None:
        self.pool, self.styles, self.strength, self.say = pool, styles, strength, say
        self.at, self.ended = 0, False

    def pick(self, at: int) -> Any:
        """Go over to a style by its number, from 0."""
        self.at = at % len(self.styles)
        return self.pool.style([(self.styles[self.at], 1.0)], self.strength)

    def pressed(self, key: str) -> None:
        if key == "q":
            self.ended = True
        elif key == "n" or (key.isdecimal() and 0 < int(key) <= len(self.styles)):
            self.pick(self.at + 1 if key == "n" else int(key) - 1)
            self.say(f"style: {self.styles[self.at]}")
        elif key in "+-=":
            step = -0.1 if key == "-" else 0.1
            self.strengthen(round(min(1.0, max(0.0, self.strength + step)), 1))
            self.say(f"strength: {self.strength:.1f}")

    def strengthen(self, strength: float) -> None:
        """Go over to a strength, 0 to 1."""
        self.strength = strength
        self.pool.strength(strength)

    def mix(self, weights: Sequence[float]) -> None:
        """Go over to a blend of all styles."""
        chosen = [(style, weight) for style, weight in zip(self.styles, weights, strict=True) if weight > 0]
        self.pool.style(chosen, self.strength)


def _say_rate(show: Showing, say: Callable[[str], None]) -> None:
    """Rate and latency, every five seconds."""
    if time.monotonic() - show.told > 5 and show.count:
        show.told = time.monotonic()
        say(f"{show.rate():.1f} frames per second, {show.latency():.0f} ms, painted at {show.paint_size}")


@contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[None]:
    """Give on keys as they are pressed, where standard input is a terminal."""
    if not sys.stdin.isatty():
        yield
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)

    def listen() -> None:
        with suppress(OSError, ValueError):
            while key := sys.stdin.read(1):
                pressed(key)

    try:
        tty.setcbreak(terminal)
        threading.Thread(target=listen, daemon=True).start()
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
