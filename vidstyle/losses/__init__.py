"""Losses: a loss network and what is compared in its features. Fitting, training and metrics share them.

Features are lists of relu1_1, relu2_1 ... of a normalised VGG, (B, C, H, W) each. Statistics are float32 whatever the features
are.
"""
