"""The version, alone, so that every part can read it without looking up at the roof."""

__version__ = "0.3.0"
