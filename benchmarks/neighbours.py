"""Compares our neighbour search with scikit-learn's: `python benchmarks/neighbours.py [--sizes 10000x10]`.

Both search a sample of the rows of one normal matrix among all of them. Prints the processor time of one
query (so other work on the machine and the number of threads matter little), the ratio, and the recall: the
share of scikit-learn's neighbours that ours are. Of a whole table, our queries cost less than of a sample,
since neighbours look together. Ends with one JSON line.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from pynomaly.detection.algorithms.neighbours import Neighbours

SIZES = "10000x10,10000x50,100000x10,100000x50,1000000x10"
QUERIES, PEER_QUERIES = 4096, 1024


def processor(work: Callable[[], Any]) -> tuple[Any, float]:
    """Run `work`; give its result and the processor seconds of all threads."""
    began = time.process_time()
    result = work()
    return result, time.process_time() - began


def compare(rows: int, columns: int, k: int) -> dict[str, Any]:
    """Search neighbours of rows of one matrix, by both."""
    X = np.random.default_rng(0).normal(size=(rows, columns))
    queries = X[np.random.default_rng(1).permutation(rows)[:QUERIES]]
    few = queries[:PEER_QUERIES]
    ours, build = processor(lambda: Neighbours(X))
    ours.query(queries[:9], k)
    (_, found), seconds = processor(lambda: ours.query(queries, k))
    peer, peer_build = processor(lambda: NearestNeighbors(n_neighbors=k + 1).fit(X))
    true, peer_seconds = processor(lambda: peer.kneighbors(few, return_distance=False)[:, 1:])
    same = [len(np.intersect1d(a, b)) / k for a, b in zip(found, true, strict=False)]
    own, other = seconds / len(queries) * 1e6, peer_seconds / len(few) * 1e6
    return {
        "rows": rows,
        "columns": columns,
        "k": k,
        "build_s": build,
        "sklearn_build_s": peer_build,
        "query_us": own,
        "sklearn_query_us": other,
        "times_sklearn": other / own,
        "recall": float(np.mean(same)),
    }


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default=SIZES, help="rows x columns, with commas between them")
    parser.add_argument("--k", type=int, default=20)
    options = parser.parse_args()
    table = []
    for size in options.sizes.split(","):
        rows, columns = map(int, size.split("x"))
        table.append(found := compare(rows, columns, options.k))
        print(
            f"{rows:>8} x {columns:<3} k = {options.k}: ours {found['query_us']:7.1f} us, scikit-learn "
            f"{found['sklearn_query_us']:7.1f} us a query: {found['times_sklearn']:.1f}x; "
            f"recall {found['recall']:.4f}; built in {found['build_s']:.2f} s",
            flush=True,
        )
    print(json.dumps({"benchmark": "neighbours", "table": table}))


if __name__ == "__main__":
    main()
