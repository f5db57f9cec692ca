"""A place to write to and to forget: whether a muxer takes a stream is seen by letting it."""

from __future__ import annotations


class Nowhere:
    """A file that swallows what is written."""

    name = "nowhere"

    def __init__(self) -> None:
        self._at = self._size = 0

    def write(self, data: bytes) -> int:
        self._at += len(data)
        self._size = max(self._size, self._at)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at
