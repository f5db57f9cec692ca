"""`python -m vidstyle`: the same as `vidstyle`."""

from vidstyle.cli import script

script()
