"""What a studio is told when it starts. Imports nothing heavy."""

from __future__ import annotations

import ipaddress
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from vidstyle.core.errors import UsageError


@dataclass(frozen=True)
class UploadLimits:
    """What strangers' files may take."""

    video_bytes: int = 8 << 30
    video_seconds: float = 3 * 3600
    video_pixels: int = 8192 * 4320
    """Of a frame."""
    picture_bytes: int = 64 << 20
    picture_pixels: int = 100_000_000
    folder_bytes: int = 50 << 30
    """Of all that lies in the studio's folder."""
    keep_hours: float = 7 * 24
    """After that, videos, pictures and results that nobody has used are deleted."""
    open_jobs: int = 50
    """That one client may have waiting or at work."""


@dataclass(frozen=True)
class StudioConfiguration:
    """Settings of a studio.

    Raises:
        UsageError: an address that is not this machine's alone, without a token.
    """

    folder: Path
    """The only place that is written to, and read from but for `allowed`."""
    host: str = "127.0.0.1"
    port: int = 7860
    token: str | None = None
    """Asked of everyone who comes; None only where nobody else can come."""
    allowed: tuple[Path, ...] = ()
    """Folders whose videos may be named by path; on loopback only."""
    secure: bool = False
    """Served over TLS."""
    model: str = "compact"
    engine: str = "auto"
    device: str = "auto"
    limits: UploadLimits = field(default=UploadLimits())

    def __post_init__(self) -> None:
        if not is_loopback(self.host):
            if not self.token:
                raise UsageError(f"--host {self.host}: others can reach it, so it needs a token.")
            if self.allowed:
                raise UsageError("--allow-path: goes with a loopback --host only; upload the videos instead.")


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def default_folder() -> Path:
    """$VIDSTYLE_STUDIO, or a folder beside the fitted styles."""
    if own := os.environ.get("VIDSTYLE_STUDIO"):
        return Path(own)
    from vidstyle.styles.fit.store import folder

    return folder().parent / "studio"


def new_token() -> str:
    """128 random bits, for an address."""
    return secrets.token_urlsafe(16)
