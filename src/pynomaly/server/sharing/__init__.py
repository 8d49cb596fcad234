"""Datasets and detectors that their owner lets others see or use."""
