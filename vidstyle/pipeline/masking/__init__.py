"""Masks of films: found by colour, by a picture of the background, or drawn and carried along."""
