"""Open Sound Control: what lighting desks, Max, TouchDesigner, Resolume and telephones send to change a running picture."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import ThreadingOSCUDPServer

from vidstyle.core.errors import InputError, UsageError

ADDRESSES = {
    "/vidstyle/style": "a number from 1 on, or a name: go over to that --style",
    "/vidstyle/next": "go over to the next --style",
    "/vidstyle/mix": "a weight for each --style, in their order: go over to that blend",
    "/vidstyle/strength": "0 to 1",
    "/vidstyle/stop": "end the program",
}
"""What is understood, and with which arguments."""
_WHERE = re.compile(r"(?:(?P<host>[\w.:-]+):)?(?P<port>\d{1,5})")


class Steering(Protocol):
    """What can be changed while a picture runs."""

    def pick(self, at: int) -> Any:
        """Go over to a style by its number, from 0."""

    def mix(self, weights: Sequence[float]) -> None:
        """Go over to a blend."""

    def strengthen(self, strength: float) -> None:
        """Go over to a strength, 0 to 1."""

    def pressed(self, key: str) -> None:
        """As the key: "n" the next style, "q" ends the program."""


class OscServer:
    """Listens for messages over UDP, in a thread, until `close`. The protocol knows no passwords: who reaches the port steers.

    Args:
        where: "PORT" on 127.0.0.1, or "HOST:PORT".
        styles: names as they were given.
        steering: told what comes.
        say: told of messages that mean nothing, a sentence each.

    Raises:
        UsageError: `where` means nothing.
        InputError: it cannot be listened there.
    """

    def __init__(self, where: str, styles: Sequence[str], steering: Steering, say: Callable[[str], None]) -> None:
        match = _WHERE.fullmatch(where)
        if match is None or int(match["port"]) > 65535:
            raise UsageError(f"--osc {where}: write a port (9000), or HOST:PORT.")
        self._styles, self._steering, self._say = list(styles), steering, say
        handlers = {
            "/vidstyle/style": self._style,
            "/vidstyle/next": lambda: steering.pressed("n"),
            "/vidstyle/mix": self._mix,
            "/vidstyle/strength": self._strength,
            "/vidstyle/stop": lambda: steering.pressed("q"),
        }
        dispatcher = Dispatcher()
        for address, handler in handlers.items():
            dispatcher.map(address, self._called, handler)
        dispatcher.set_default_handler(lambda address, *_: say(f"osc: {address}: is not known."))
        try:
            self._server = ThreadingOSCUDPServer((match["host"] or "127.0.0.1", int(match["port"])), dispatcher)
        except OSError as error:
            raise InputError(
                f"--osc {where}: cannot be listened on ({error.strerror}); choose another port."
            ) from error
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _called(self, address: str, handler: list[Callable[..., None]], *values: Any) -> None:
        """A message has come; one with wrong arguments changes nothing."""
        try:
            handler[0](*values)
        except (TypeError, ValueError):
            self._say(f"osc: {address} {' '.join(map(str, values))}: wants {ADDRESSES[address]}.")

    def _style(self, which: Any) -> None:
        if isinstance(which, str):
            number = next((n for n, name in enumerate(self._styles, 1) if which in (name, Path(name).stem)), 0)
        else:
            number = int(which)
        if not 1 <= number <= len(self._styles):
            raise ValueError(which)
        self._steering.pick(number - 1)

    def _mix(self, *weights: Any) -> None:
        shares = [float(weight) for weight in weights]
        if len(shares) != len(self._styles) or min(shares) < 0 or not 0 < sum(shares) < float("inf"):
            raise ValueError(shares)
        self._steering.mix(shares)

    def _strength(self, value: Any) -> None:
        strength = float(value)
        if not 0 <= strength <= 1:
            raise ValueError(strength)
        self._steering.strengthen(strength)
