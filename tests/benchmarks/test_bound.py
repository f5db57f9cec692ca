"""The network's multiplications, counted, are those of its convolutions by hand."""

from benchmarks.bound import multiplications
from vidstyle.models.checkpoint import build


def test_wider_layers_cost_by_arithmetic() -> None:
    """Half again as many channels before the last convolution: 3x3 from 32 to so many at half size, and on to 12."""
    narrow, wide = (multiplications(build("compact", {"output_width": w}).eval()) for w in (16, 24))
    assert abs((wide - narrow) - 8 * 9 * (32 + 12) / 4) < 1
