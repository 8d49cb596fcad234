"""The Open Inference Protocol v2: trained detectors as KServe-style clients know models."""
