"""Sample tables: real ones that ship inside scikit-learn, made into detection tasks, and made-up payments."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pynomaly.export import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Columns = dict[str, Sequence[Any]]
"""Column name -> one value for each row (None: missing)."""

HOME = {"DE": "EUR", "FR": "EUR", "GB": "GBP", "US": "USD", "CH": "CHF"}
"""Countries that the payments come from, with their currencies."""

FAR = ("BR", "NG", "VN", "PH")
SHOPS = {"groceries": 32, "restaurant": 55, "fuel": 70, "clothing": 85, "travel": 380, "electronics": 420}
"""Merchant category -> median amount."""


def breast_cancer(seed: int = 0) -> Columns:
    """Find malignant tumours: all 357 benign cases and 21 malignant ones (5.6 %), `is_anomaly` the label.

    Wisconsin diagnostic breast cancer, 30 measurements of cell nuclei (Street, Wolberg & Mangasarian, 1993).
    """
    return _rare("breast_cancer", normal=(1,), rare=(0,), kept=21, seed=seed)


def wine(seed: int = 0) -> Columns:
    """Find wines of the first grower: the 119 wines of the other two and 10 of the first (7.8 %).

    13 chemical measurements (Aeberhard, Coomans & de Vel, 1992); `is_anomaly` is the label.
    """
    return _rare("wine", normal=(1, 2), rare=(0,), kept=10, seed=seed)


def digits(seed: int = 0) -> Columns:
    """Find handwritten zeros among the other digits: 1,619 others and 30 zeros (1.8 %).

    8 x 8 pixels with 17 shades (Alpaydin & Kaynak, 1998); `is_anomaly` is the label.
    """
    return _rare("digits", normal=tuple(range(1, 10)), rare=(0,), kept=30, seed=seed)


def _rare(name: str, normal: tuple[int, ...], rare: tuple[int, ...], kept: int, seed: int) -> Columns:
    """Keep all rows of the `normal` classes and `kept` random rows of the `rare` ones, in random order."""
    import numpy as np
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    rng = np.random.default_rng(seed)
    odd = rng.permutation(np.flatnonzero(np.isin(bunch.target, rare)))[:kept]
    rows = rng.permutation(np.concatenate([np.flatnonzero(np.isin(bunch.target, normal)), odd]))
    names = [str(column).replace(" ", "_") for column in bunch.feature_names]
    columns: Columns = {column: bunch.data[rows, i].tolist() for i, column in enumerate(names)}
    return columns | {"is_anomaly": np.isin(bunch.target[rows], rare).astype(int).tolist()}


def payments(n: int = 5000, seed: int = 0) -> Columns:
    """Make up card payments, about 1.6 % of them frauds of four kinds.

    `is_fraud` (0/1) is the label and `fraud_kind` says which: "large amount" (an amount far above what such
    shops take), "card testing" (tiny amounts online, many in an hour), "stolen abroad" (at night, in a far
    country, soon after a payment at home), "new card" (a card a few days old buys electronics and travel).
    Leave both columns out of the training.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    table = _ordinary(n, rng)
    kinds = rng.choice(len(FRAUDS) + 1, n, p=[0.984, 0.004, 0.004, 0.004, 0.004])
    for i, spoil in enumerate(FRAUDS.values(), start=1):
        spoil(table, np.flatnonzero(kinds == i), rng)
    names = ("", *FRAUDS)
    columns: Columns = {name: values.tolist() for name, values in table.items()}
    columns["time"] = [str(at).replace("T", " ") for at in table["time"]]
    for name, share in (("customer_age", 0.004), ("minutes_since_last", 0.01)):
        unknown = rng.random(n) < share
        columns[name] = [None if gone else value for gone, value in zip(unknown, columns[name], strict=True)]
    labels = {"is_fraud": (kinds > 0).astype(int).tolist(), "fraud_kind": [names[kind] for kind in kinds]}
    return columns | labels


Table = dict[str, "NDArray[Any]"]


def _ordinary(n: int, rng: "np.random.Generator") -> Table:
    """Make payments with nothing wrong: by day, near home, of amounts that suit the shop."""
    import numpy as np

    start = np.datetime64("2026-01-01T00:00:00", "s")
    hour = np.clip(rng.normal(14.5, 3.4, n), 6, 23.5)
    seconds = rng.integers(0, 90, n) * 86_400 + (hour * 3600).astype(np.int64)
    country = rng.choice(list(HOME), n, p=[0.55, 0.18, 0.12, 0.1, 0.05])
    shop = rng.choice(list(SHOPS), n, p=[0.4, 0.25, 0.12, 0.12, 0.05, 0.06])
    middle = np.array([SHOPS[name] for name in shop])
    online = rng.random(n) < np.where(np.isin(shop, ["clothing", "travel", "electronics"]), 0.6, 0.08)
    return {
        "time": start + np.sort(seconds).astype("timedelta64[s]"),
        "amount": np.round(middle * np.exp(rng.normal(0, 0.45, n)), 2),
        "currency": np.array([HOME[name] for name in country]),
        "country": country,
        "merchant_category": shop,
        "channel": np.where(online, "online", np.where(rng.random(n) < 0.8, "contactless", "chip")),
        "card_age_days": np.round(rng.gamma(2.2, 400, n) + 30).astype(np.int64),
        "customer_age": np.clip(rng.normal(44, 15, n), 18, 92).astype(np.int64),
        "payments_last_hour": rng.poisson(0.25, n),
        "minutes_since_last": np.round(rng.exponential(900, n) + 5, 1),
        "distance_km": np.round(rng.gamma(1.4, 6, n), 1),
    }


def _large_amount(table: Table, rows: "NDArray[np.intp]", rng: "np.random.Generator") -> None:
    table["amount"][rows] = (table["amount"][rows] * rng.uniform(15, 60, len(rows)) + 1500).round(2)


def _card_testing(table: Table, rows: "NDArray[np.intp]", rng: "np.random.Generator") -> None:
    table["amount"][rows] = rng.uniform(0.2, 1.5, len(rows)).round(2)
    table["channel"][rows] = "online"
    table["payments_last_hour"][rows] = rng.integers(8, 30, len(rows))
    table["minutes_since_last"][rows] = rng.uniform(0.1, 2, len(rows)).round(1)


def _stolen_abroad(table: Table, rows: "NDArray[np.intp]", rng: "np.random.Generator") -> None:
    day = table["time"][rows].astype("datetime64[D]")
    table["time"][rows] = day + rng.integers(1 * 3600, 4 * 3600, len(rows)).astype("timedelta64[s]")
    table["country"][rows] = rng.choice(FAR, len(rows))
    table["distance_km"][rows] = rng.uniform(4000, 11000, len(rows)).round(1)
    table["minutes_since_last"][rows] = rng.uniform(20, 120, len(rows)).round(1)


def _new_card(table: Table, rows: "NDArray[np.intp]", rng: "np.random.Generator") -> None:
    table["card_age_days"][rows] = rng.integers(0, 4, len(rows))
    table["merchant_category"][rows] = rng.choice(["electronics", "travel"], len(rows))
    table["channel"][rows] = "online"
    table["amount"][rows] = rng.uniform(700, 2500, len(rows)).round(2)


FRAUDS: Mapping[str, Callable[[Table, Any, Any], None]] = {
    "large amount": _large_amount,
    "card testing": _card_testing,
    "stolen abroad": _stolen_abroad,
    "new card": _new_card,
}

SAMPLES: Mapping[str, Callable[..., Columns]] = {
    "breast_cancer": breast_cancer,
    "digits": digits,
    "payments": payments,
    "wine": wine,
}
"""Every sample table by name."""


def write_csv(name: str, path: str | Path, **options: Any) -> None:
    """Write a sample table to a CSV file; `options` go to its function (KeyError: no such sample)."""
    columns = SAMPLES[name](**options)
    with replacing(path) as temporary, temporary.open("x", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
