"""OSC messages over loopback: what they change, and what they do not."""

import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from vidstyle.core.errors import InputError, UsageError
from vidstyle.studio.live.osc import ADDRESSES, OscServer

udp_client = pytest.importorskip("pythonosc.udp_client")


class Noted:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def pick(self, at: int) -> None:
        self.calls.append(("pick", at))

    def mix(self, weights: Sequence[float]) -> None:
        self.calls.append(("mix", *weights))

    def strengthen(self, strength: float) -> None:
        self.calls.append(("strength", strength))

    def pressed(self, key: str) -> None:
        self.calls.append(("key", key))

    def say(self, sentence: str) -> None:
        self.calls.append(("say", sentence))

    def until(self, count: int) -> list[tuple[Any, ...]]:
        """What was told, once that many calls have come."""
        deadline = time.monotonic() + 10
        while len(self.calls) < count and time.monotonic() < deadline:
            time.sleep(0.005)
        return self.calls


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def server(noted: Noted) -> Iterator[OscServer]:
    server = OscServer("0", ["mosaic", "art/wave.jpg"], noted, noted.say)
    yield server
    server.close()


def send(server: OscServer, address: str, value: Any) -> None:
    with udp_client.SimpleUDPClient("127.0.0.1", server.port) as client:
        client.send_message(address, value)


@pytest.mark.parametrize(
    ("address", "value", "call"),
    [
        ("/vidstyle/style", 2, ("pick", 1)),
        ("/vidstyle/style", 1.0, ("pick", 0)),
        ("/vidstyle/style", "wave", ("pick", 1)),
        ("/vidstyle/style", "art/wave.jpg", ("pick", 1)),
        ("/vidstyle/next", [], ("key", "n")),
        ("/vidstyle/mix", [0.25, 3], ("mix", 0.25, 3.0)),
        ("/vidstyle/strength", 0.5, ("strength", 0.5)),
        ("/vidstyle/stop", [], ("key", "q")),
    ],
)
def test_messages_steer(address: str, value: Any, call: tuple[Any, ...], server: OscServer, noted: Noted) -> None:
    send(server, address, value)
    assert noted.until(1) == [call]


@pytest.mark.parametrize(
    ("address", "value"),
    [
        ("/vidstyle/style", 3),
        ("/vidstyle/style", 0),
        ("/vidstyle/style", "monet"),
        ("/vidstyle/style", []),
        ("/vidstyle/mix", [1.0]),
        ("/vidstyle/mix", [0.0, 0.0]),
        ("/vidstyle/mix", [-1.0, 2.0]),
        ("/vidstyle/mix", [float("nan"), 1.0]),
        ("/vidstyle/strength", 1.5),
        ("/vidstyle/strength", float("nan")),
        ("/vidstyle/strength", "much"),
    ],
)
def test_wrong_arguments_change_nothing(address: str, value: Any, server: OscServer, noted: Noted) -> None:
    send(server, address, value)
    ((kind, sentence),) = noted.until(1)
    assert kind == "say"
    assert ADDRESSES[address] in sentence


def test_what_is_no_message_of_ours_is_told_or_dropped(server: OscServer, noted: Noted) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        plain.sendto(b"\xff" * 50, ("127.0.0.1", server.port))
    send(server, "/other/thing", 1)
    assert noted.until(1) == [("say", "osc: /other/thing: is not known.")]


def test_places_that_cannot_be(noted: Noted, server: OscServer) -> None:
    for where in ("nine", "70000", "a b:9", ""):
        with pytest.raises(UsageError, match="write a port"):
            OscServer(where, ["mosaic"], noted, noted.say)
    with pytest.raises(InputError, match="cannot be listened on"):
        OscServer(f"127.0.0.1:{server.port}", ["mosaic"], noted, noted.say)
