"""Labelled real tables by command line and over HTTP: equal scores, beside scikit-learn at its defaults."""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from measure import report
from running import COMMAND, Running, running

SETS = ("32_shuttle", "38_thyroid", "30_satellite", "23_mammography", "5_campaign")


def write_csv(source: Path, target: Path) -> tuple[np.ndarray, np.ndarray]:
    """Write one set as CSV with its label column `y`; return its rows and labels."""
    with np.load(source, allow_pickle=False) as arrays:
        X, y = arrays["X"].astype(float), arrays["y"].astype(int)
    header = ",".join([*(f"x{i}" for i in range(X.shape[1])), "y"])
    lines = [
        ",".join([*map(repr, row), str(label)]) for row, label in zip(X.tolist(), y.tolist(), strict=True)
    ]
    target.write_text("\n".join([header, *lines]) + "\n")
    return X, y


def by_command_line(path: Path, algorithm: str) -> dict[str, float]:
    """Run `pynomaly detect` and return its metrics."""
    command = [
        COMMAND,
        "detect",
        str(path),
        "--label-column",
        "y",
        "--algorithm",
        algorithm,
        "--format",
        "json",
    ]
    done = subprocess.run(command, check=True, capture_output=True)
    return dict(json.loads(done.stdout)["metrics"])


def over_http(server: Running, path: Path, algorithm: str) -> dict[str, float]:
    """Upload, detect, and return the result's metrics."""
    with path.open("rb") as file:
        dataset = server.post(
            "/datasets/upload", files={"file": (path.name, file)}, data={"label_column": "y"}
        )
    server.finished(f"/datasets/{dataset['id']}", ("processing",))
    begun = server.post("/detection/detect", json={"dataset_id": dataset["id"], "algorithm": algorithm})
    return dict(server.finished(f"/detection/results/{begun['id']}", ("queued", "running"), 600)["metrics"])


def peer_auc(X: np.ndarray, y: np.ndarray, algorithm: str) -> float | None:
    """Score with scikit-learn's namesake at its defaults."""
    from sklearn.covariance import EllipticEnvelope
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score
    from sklearn.neighbors import LocalOutlierFactor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import OneClassSVM

    X = StandardScaler().fit_transform(X)
    if algorithm == "isolation_forest":
        scores = -IsolationForest(random_state=0).fit(X).score_samples(X)
    elif algorithm == "local_outlier_factor":
        scores = -LocalOutlierFactor().fit(X).negative_outlier_factor_
    elif algorithm == "elliptic_envelope":
        scores = -EllipticEnvelope(random_state=0).fit(X).score_samples(X)
    elif len(X) <= 12_000:
        scores = -OneClassSVM().fit(X).score_samples(X)
    else:
        return None
    return float(roc_auc_score(y, scores))


def main() -> None:
    """Print a row for each set and algorithm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, default=Path("../shared/data/adbench"), help="folder with the .npz sets"
    )
    parser.add_argument("--algorithms", nargs="*", default=["isolation_forest"])
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder, running() as server:
        for name in SETS:
            path = Path(folder, f"{name}.csv")
            X, y = write_csv(arguments.data / f"{name}.npz", path)
            for algorithm in arguments.algorithms:
                shell, http = by_command_line(path, algorithm), over_http(server, path, algorithm)
                rows.append(
                    {
                        "set": name,
                        "algorithm": algorithm,
                        "auc_roc CLI": shell["auc_roc"],
                        "auc_roc HTTP": http["auc_roc"],
                        "equal": shell["auc_roc"] == http["auc_roc"],
                        "average_precision": shell["average_precision"],
                        "scikit-learn": peer_auc(X, y, algorithm),
                    }
                )
    report("the same by command line and over HTTP", rows)


if __name__ == "__main__":
    main()
