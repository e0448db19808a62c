"""Calibration of one-dimensional item response models, in memory, larger than memory, and kept up with new answers."""
