"""Who may talk to a studio: names, origins, tokens, cookies; for pages and for websockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from vidstyle.core.errors import UsageError
from vidstyle.studio.configuration import StudioConfiguration, is_loopback
from vidstyle.studio.guard import Guard, read_cookies

HERE = "http://127.0.0.1:7860"
LIVE = "ws://127.0.0.1:7860/api/live"


async def who(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.state.client)


async def live(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.state.client)
    await socket.close()


def client(base: str = HERE, **settings: Any) -> TestClient:
    routes = [Route("/", who), Route("/api/x", who, methods=["GET", "POST"]), WebSocketRoute("/api/live", live)]
    app = Starlette(routes=routes)
    app.add_middleware(Guard, configuration=StudioConfiguration(Path("unused"), **settings))
    return TestClient(app, base_url=base)


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "LocalHost:7860", "[::1]:7860", "127.0.0.1"])
def test_names_of_this_machine_are_answered(host: str) -> None:
    assert client().get("/api/x", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "127.0.0.1:80", "192.168.1.2:7860", "", "a:b"],
)
def test_other_names_are_not(host: str) -> None:
    """DNS rebinding: a foreign name that points here."""
    assert client().get("/", headers={"Host": host}).status_code == 421


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:8000", "http://localhost:7860", "x"]
)
def test_pages_of_other_origins_are_refused(origin: str) -> None:
    """Cross-site requests with whatever method, and cross-site websockets."""
    asking = client()
    for method in ("GET", "POST"):
        assert asking.request(method, "/api/x", headers={"Origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect), asking.websocket_connect(LIVE, headers={"Origin": origin}):
        pass


def test_our_own_page_is_answered() -> None:
    asking = client()
    assert asking.post("/api/x", headers={"Origin": HERE}).status_code == 200
    with asking.websocket_connect(LIVE, headers={"Origin": HERE, "Host": "127.0.0.1:7860"}) as socket:
        assert len(socket.receive_text()) == 22


def test_a_foreign_page_may_link_to_us_and_nothing_more() -> None:
    asking = client()
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert asking.get("/", headers=foreign).status_code == 200
    assert asking.get("/api/x", headers=foreign).status_code == 403
    assert asking.get("/api/x", headers={"Sec-Fetch-Site": "same-site"}).status_code == 403
    assert asking.get("/api/x", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_every_answer_says_what_a_page_may_do() -> None:
    for answer in (client().get("/"), client().get("/", headers={"Host": "evil.example"})):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert client().get("/api/x").headers["cache-control"] == "no-store"


def test_a_browser_is_one_client_and_two_are_two() -> None:
    first, second = client(), client()
    name = first.get("/api/x").text
    assert len(name) == 22
    assert first.get("/api/x").text == name
    assert second.get("/api/x").text != name
    cookie = second.get("/", headers={"Cookie": "vidstyle_client_7860=short"}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


def test_a_token_is_asked_for() -> None:
    asking = client(token="secret-token")
    for path in ("/", "/api/x", "/?token=wrong", "/?token=", "/api/x?token=secret-token"):
        assert asking.get(path, follow_redirects=False).status_code == 401
    with pytest.raises(WebSocketDisconnect), asking.websocket_connect(LIVE):
        pass
    assert asking.get("/api/x", headers={"Authorization": "Bearer secret-token"}).status_code == 200
    assert asking.get("/api/x", headers={"Authorization": "Bearer secret-toke"}).status_code == 401


def test_the_address_that_was_printed_opens_the_page_and_the_token_leaves_the_address() -> None:
    asking = client(token="secret-token")
    answer = asking.get("/?token=secret-token", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert asking.get("/api/x").status_code == 200
    with asking.websocket_connect(LIVE) as socket:
        assert socket.receive_text()


def test_another_address_needs_a_token_and_takes_no_paths() -> None:
    with pytest.raises(UsageError, match="needs a token"):
        StudioConfiguration(Path("x"), host="0.0.0.0")
    with pytest.raises(UsageError, match="loopback"):
        StudioConfiguration(Path("x"), host="0.0.0.0", token="t", allowed=(Path("y"),))
    asking = client("http://192.168.7.7:7860", host="0.0.0.0", token="t")
    assert asking.get("/api/x", headers={"Authorization": "Bearer t"}).status_code == 200
    assert asking.get("/api/x", headers={"Authorization": "Bearer t", "Host": "evil.example"}).status_code == 421


def test_loopback() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "example.org", "")))


def test_cookies_that_cannot_be_read_are_left_out() -> None:
    assert read_cookies(["a=1; bad[]=x; b=2", "c=3"]) == {"a": "1", "b": "2", "c": "3"}
