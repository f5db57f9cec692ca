"""vidstyle: any video in the style of any picture, without flicker."""

__version__ = "0.1.0"
