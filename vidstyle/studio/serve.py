"""The server: binds, says its address, serves until it is interrupted."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import uvicorn

from vidstyle.core.errors import InputError
from vidstyle.studio.app import create_app
from vidstyle.studio.configuration import StudioConfiguration, is_loopback

_MESSAGE_BYTES = 4 << 20
"""Largest message of a websocket: a frame of a camera as JPEG."""


def serve(
    configuration: StudioConfiguration, *, tls: tuple[Path, Path] | None = None, say: Callable[[str], None] = print
) -> None:
    """Serve a studio until Ctrl-C or SIGTERM.

    Args:
        tls: certificate and private key.
        say: told the address, and what is to be known of it.

    Raises:
        InputError: the address cannot be listened on, or the certificate cannot be used.
        UsageError: another studio works in the folder.
    """
    if tls is not None:
        _check_certificate(tls)
    with bound(configuration.host, configuration.port) as listener:
        configuration = replace(configuration, port=listener.getsockname()[1])
        app = create_app(configuration)
        settings = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=_MESSAGE_BYTES,
            ws_max_queue=2,
            timeout_graceful_shutdown=2,
            ssl_certfile=None if tls is None else str(tls[0]),
            ssl_keyfile=None if tls is None else str(tls[1]),
        )
        for line in _greeting(configuration):
            say(line)
        uvicorn.Server(settings).run(sockets=[listener])


def _greeting(configuration: StudioConfiguration) -> list[str]:
    """What is said when the studio opens."""
    scheme = "https" if configuration.secure else "http"
    host = configuration.host
    shown = f"[{host}]" if ":" in host else host
    if host in ("0.0.0.0", "::"):
        shown = socket.gethostname()
    token = f"/?token={configuration.token}" if configuration.token else "/"
    lines = [
        f"vidstyle studio: {scheme}://{shown}:{configuration.port}{token}   (Ctrl-C ends it; jobs go on next time)"
    ]
    if not is_loopback(host) and not configuration.secure:
        lines.append("Others can read along, and browsers give no camera, without https: --tls-cert and --tls-key.")
    return lines


def bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise InputError(
            f"--host {host} --port {port}: cannot be listened on ({error.strerror or error}); choose another --port."
        ) from error
    return listener


def _check_certificate(tls: tuple[Path, Path]) -> None:
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(*map(str, tls))
    except (ssl.SSLError, OSError) as error:
        raise InputError(f"{tls[0]}, {tls[1]}: no certificate with its key ({error}); check the files.") from error
