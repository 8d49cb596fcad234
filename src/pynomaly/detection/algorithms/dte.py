"""Non-parametric diffusion time estimation: rows that look like much-diffused data are anomalous
(Livernoche et al. 2024)."""

from pynomaly.detection.algorithms.contract import Matrix
from pynomaly.detection.algorithms.knn import NeighbourDistances


class DiffusionTime(NeighbourDistances):
    """Non-parametric diffusion time estimation (V. Livernoche, V. Jain, Y. Hezaveh, S. Ravanbakhsh, "On
    Diffusion Modeling for Anomaly Detection", ICLR 2024), on the k nearest training rows.

    If a row is a training row with normal noise added for a time t, the noise variance s(t) given their
    distance r follows, in d columns, an inverse gamma distribution with shape d/2 - 1 and scale r^2 / 2; over
    the whole data r^2 is estimated by the mean squared distance to the `n_neighbors` nearest rows. Score: the
    most probable noise variance, scale / (shape + 1) = mean r^2 / d, in squared scaled units. The paper's
    score, the mean of t under that posterior on a grid of times, grows strictly with it for every increasing
    s(t), so both rank rows the same; but this one needs no noise schedule and has no upper end. A row that
    equals a training row leaves one copy of it out. With fewer rows, all others are the neighbours (said in
    `notes_`).

    Time: O(n log n) in few columns, up to O(n * n) in many. `contributions` add up to the score, which is
    shared out by the gaps to the nearest normal training rows (see `gaps`).

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> dte = DiffusionTime().fit(X)
    >>> bool(dte.score(np.array([[9.0, 0.0]]))[0] > 4)
    True
    """

    name = "dte_nonparametric"
    _squared = True

    def _weights(self) -> Matrix:
        return super()._weights() / self.n_features_
