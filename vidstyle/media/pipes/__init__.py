"""Films that come through standard input or from an address, and go out through standard output."""
