"""Codes between and beyond codes: a strength, and shares that differ from pixel to pixel."""
