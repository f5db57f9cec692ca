"""Time codes (SMPTE ST 12-1), which count frames: that of a cut film begins where the cut does."""

from __future__ import annotations

import re
from fractions import Fraction

_CODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;.])(\d\d+)")


def later(code: str, frames: int, rate: Fraction) -> str:
    """The time code `frames` frames after `code` at `rate` frames per second; `code` itself where it cannot be read.

    With ";" or "." before the frames it is a drop-frame code: of 30 (60) frames per second, the first two (four) numbers of
    each minute that is no multiple of ten are left out, so that it keeps up with a clock at 29.97 (59.94).
    """
    found = _CODE.fullmatch(code)
    nominal = round(rate)
    if found is None or nominal < 1:
        return code
    hours, minutes, seconds, sign, last = (*map(int, found.groups()[:3]), found[4], int(found[5]))
    dropped = nominal // 15 if sign in ";." and nominal % 30 == 0 else 0
    total = 60 * hours + minutes
    number = (60 * total + seconds) * nominal + last - dropped * (total - total // 10) + frames
    in_ten = 600 * nominal - 9 * dropped
    tens, rest = divmod(number % (144 * in_ten), in_ten)
    # The first minute of ten is whole; each of the others lacks its first numbers.
    skipped = dropped * max(0, (rest - dropped) // (60 * nominal - dropped))
    number = tens * 600 * nominal + rest + skipped
    minutes, seconds = divmod(number // nominal, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}{sign}{number % nominal:02}"
