"""Who may talk to the studio: Host, Origin and token are looked at before anything else, for websockets as for pages.

- Host must be a name of this server, so that no foreign name can be pointed at it (DNS rebinding).
- A page of another origin gets nothing: Origin must be ours where a browser says it, and Sec-Fetch-Site must not be foreign
  (cross-site requests, cross-site websockets).
- With a token, every request carries it: in a cookie that the page got when it was opened by the address that was printed, or
  as `Authorization: Bearer`.
- Every browser gets a random cookie, its client: what it uploads and starts is listed to it alone.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from collections.abc import Iterable
from http.cookies import SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vidstyle.studio.configuration import StudioConfiguration, is_loopback

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing from elsewhere, nothing inline."""

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
}
_FOREIGN = frozenset({"cross-site", "same-site"})
"""Of Sec-Fetch-Site: another origin."""


class Guard:
    """ASGI middleware. Puts `client` into the request's state."""

    def __init__(self, app: ASGIApp, configuration: StudioConfiguration) -> None:
        self.app, self.configuration = app, configuration
        self.names = _own_names(configuration.host)
        self.open_to_all = not is_loopback(configuration.host)
        port = configuration.port
        self.token_cookie, self.client_cookie = f"vidstyle_token_{port}", f"vidstyle_client_{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        cookies = read_cookies(headers.getlist("cookie"))
        refusal = self.refusal(scope, headers, cookies)
        if refusal is not None:
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
            else:
                refusal.headers.update(_HEADERS)
                await refusal(scope, receive, send)
            return
        client = cookies.get(self.client_cookie, "")
        fresh = not 20 <= len(client) <= 64
        client = secrets.token_urlsafe(16) if fresh else client
        scope.setdefault("state", {})["client"] = client

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
                if scope["path"].startswith("/api/"):
                    out.setdefault("Cache-Control", "no-store")
                if fresh:
                    out.append("Set-Cookie", self.cookie(self.client_cookie, client))
            await send(message)

        await self.app(scope, receive, answer)

    def refusal(self, scope: Scope, headers: Headers, cookies: dict[str, str]) -> Response | None:
        """The answer to who may not come in; None for who may."""
        host = headers.get("host", "")
        if not self.is_ours(host):
            return PlainTextResponse(f"This server is not {host[:100]!r}.\n", 421)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return PlainTextResponse("Pages of other origins are not answered.\n", 403)
        entering = scope["type"] == "http" and scope["path"] == "/" and scope["method"] in ("GET", "HEAD")
        if headers.get("sec-fetch-site") in _FOREIGN and not entering:
            return PlainTextResponse("Pages of other origins are not answered.\n", 403)
        token = self.configuration.token
        if token is None:
            return None
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if entering and _same(given, token):
            response = RedirectResponse("/", 303)
            response.headers["Set-Cookie"] = self.cookie(self.token_cookie, token)
            return response
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if _same(cookies.get(self.token_cookie, ""), token) or _same(bearer, token):
            return None
        return PlainTextResponse(
            "This studio asks for its token: open the address that it printed when it was started, or send the header "
            "'Authorization: Bearer TOKEN'.\n",
            401,
        )

    def is_ours(self, host: str) -> bool:
        """Whether a Host header names this server."""
        try:
            parts = urlsplit(f"//{host}")
            name, port = (parts.hostname or "").lower(), parts.port
        except ValueError:
            return False
        if port is not None and port != self.configuration.port:
            return False
        if name in self.names:
            return True
        if not self.open_to_all:
            return False
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def cookie(self, name: str, value: str) -> str:
        secure = "; Secure" if self.configuration.secure else ""
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}"


def _own_names(host: str) -> frozenset[str]:
    """Names by which a server at `host` may be called."""
    loopback = {"127.0.0.1", "localhost", "::1"}
    if is_loopback(host):
        return frozenset(loopback | {host.lower()})
    return frozenset(loopback | {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()})


def read_cookies(lines: Iterable[str]) -> dict[str, str]:
    """The cookies of a request; what cannot be read is left out."""
    found: dict[str, str] = {}
    for line in lines:
        for part in line.split(";"):
            jar: SimpleCookie = SimpleCookie()
            try:
                jar.load(part.strip())
            except Exception:  # a cookie of another program on this host
                continue
            found |= {name: morsel.value for name, morsel in jar.items()}
    return found


def _same(given: str, token: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell how nearly."""
    return secrets.compare_digest(given.encode(), token.encode())
