"""Importing this before numpy keeps BLAS, OpenMP and numba on one thread: no threads are lost in a fork."""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
os.environ["NUMBA_THREADING_LAYER"] = "workqueue"  # OpenMP refuses a fork
