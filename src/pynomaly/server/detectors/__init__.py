"""Detectors: an algorithm with its parameters and columns, and its trained versions."""
