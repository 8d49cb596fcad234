"""Detections: runs of a model on a dataset, with ranked rows and reasons as their result."""
