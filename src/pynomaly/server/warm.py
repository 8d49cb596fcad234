"""Gets the numeric kernels ready in the warm process, so that no job waits for them."""

KERNELS = ("auto", "isolation_forest", "local_outlier_factor")
"""The algorithms that need no scikit-learn, whose import would cost every idle worker 100 MB."""


def load_kernels() -> None:
    """Run each kernel once on a tiny matrix, in this thread only: a process with threads must not fork."""
    import numpy as np

    from pynomaly.detection.algorithms.threads import limit_threads
    from pynomaly.detection.catalogue import load_class

    X = np.random.default_rng(0).normal(size=(64, 2))
    limit_threads(1)
    try:
        for name in KERNELS:
            load_class(name).warm_up(X)
    finally:
        limit_threads(None)
