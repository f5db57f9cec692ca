"""Sizes of pictures that models take."""

MIN_SIDE = 16
"""Smallest width and height, in pixels, that models take."""
