"""Transport streams, byte by byte: clocks moved, packets taken out."""

from __future__ import annotations

PACKET = 188
WRAP = 1 << 33
"""Ticks of 90 kHz after which the clock of a transport stream is 0 again."""


def shifted(stream: bytes, ticks: int) -> bytes:
    """A transport stream with `ticks` (1 / 90,000 s) added to every PCR, PTS and DTS, modulo 2^33 as players count."""
    data = bytearray(stream)
    for start in range(0, len(data) - PACKET + 1, PACKET):
        assert data[start] == 0x47, "no transport stream"
        payload = start + 4
        if data[start + 3] & 0x20:  # adaptation field
            length = data[start + 4]
            if length and data[start + 5] & 0x10:
                _shift_pcr(data, start + 6, ticks)
            payload += 1 + length
        if data[start + 1] & 0x40 and data[start + 3] & 0x10:  # a unit begins
            _shift_pes(data, payload, start + PACKET, ticks)
    return bytes(data)


def with_stray(stream: bytes, pid: int, number: int, ticks: int) -> bytes:
    """A transport stream in which the times of unit `number` of the track `pid` are wrong by `ticks`."""
    data = bytearray(stream)
    for start in range(0, len(data) - PACKET + 1, PACKET):
        if not data[start + 1] & 0x40 or (data[start + 1] & 0x1F) << 8 | data[start + 2] != pid:
            continue
        if number == 0:
            field = 1 + data[start + 4] if data[start + 3] & 0x20 else 0
            _shift_pes(data, start + 4 + field, start + PACKET, ticks)
            return bytes(data)
        number -= 1
    raise ValueError("no such unit")


def _shift_pcr(data: bytearray, at: int, ticks: int) -> None:
    value = int.from_bytes(data[at : at + 6])
    base = ((value >> 15) + ticks) % WRAP
    data[at : at + 6] = (base << 15 | value & 0x7FFF).to_bytes(6)


def _shift_pes(data: bytearray, at: int, end: int, ticks: int) -> None:
    if at + 14 > end or data[at : at + 3] != b"\0\0\1" or data[at + 6] & 0xC0 != 0x80:
        return
    flags = data[at + 7] >> 6
    for place in [at + 9] * (flags >> 1) + [at + 14] * (flags == 3):
        time = (data[place] >> 1 & 7) << 30 | (data[place + 1] << 7 | data[place + 2] >> 1) << 15
        time = (time | data[place + 3] << 7 | data[place + 4] >> 1) + ticks
        time %= WRAP
        data[place] = data[place] & 0xF1 | time >> 30 << 1
        data[place + 1 : place + 3] = ((time >> 15 & 0x7FFF) << 1 | 1).to_bytes(2)
        data[place + 3 : place + 5] = ((time & 0x7FFF) << 1 | 1).to_bytes(2)
