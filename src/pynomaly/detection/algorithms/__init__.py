"""The algorithms: one module per family, each class an `Algorithm` that the catalogue names."""
