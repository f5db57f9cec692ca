"""Fitting: a style's code, and where wanted the decoder, improved by gradient descent for one picture."""
