"""Previews: settings tried on a sample, apart from every result, each its owner's, gone after a day."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from pynomaly import tables
from pynomaly.errors import NotFound
from pynomaly.server.db import Database, utc_now
from pynomaly.server.detections import previews
from pynomaly.server.detections.models import Detection, Preview
from pynomaly.server.detections.preview_work import run
from pynomaly.server.users.models import User
from pynomaly.settings import Settings

RECIPE: Mapping[str, Any] = {
    "algorithm": "isolation_forest",
    "parameters": {"n_trees": 20},
    "columns": None,
    "seed": 0,
    "contamination": None,
    "max_alerts": 40,
    "fdr": None,
    "quantile": None,
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stored table of 4,000 rows; row 3,999 is absurd, and so is every 100th."""
    folder = tmp_path_factory.mktemp("preview")
    source, target = folder / "table.csv", folder / "table.parquet"
    rng = np.random.default_rng(1)
    lines = ["a,b,shop,odd"]
    for row in range(4000):
        odd = row % 100 == 99
        a, b = rng.normal(900 if odd else 0, 1), rng.normal(0, 1)
        lines.append(f"{a:.3f},{b:.3f},{'x<b>' * 90 if odd else 'food'},{int(odd)}")
    source.write_text("\n".join(lines))
    tables.ingest(str(source), target, filename="table.csv", limits=tables.Limits())
    return target


def tried(stored: Path, rows: int = 1000, **recipe: Any) -> dict[str, Any]:
    """What the job of a preview finds."""
    return run(
        {
            "table": str(stored),
            "memory_mib": 256,
            "label_column": "odd",
            "rows": rows,
            "recipe": {**RECIPE, **recipe},
        },
        lambda _share, _text: None,
    )


def test_a_preview_names_rows_of_the_whole_table(stored: Path) -> None:
    found = tried(stored)
    assert (found["n_rows"], found["n_total"]) == (1000, 4000)
    assert len(found["top"]) == 5
    assert all(row["row"] % 100 == 99 for row in found["top"])
    assert all("odd" not in reason["text"] for row in found["top"] for reason in row["reasons"])
    assert sum(found["score_histogram"]["counts"]) == 1000
    assert all(len(row["values"]["shop"]) <= 200 for row in found["top"])


def test_an_alert_budget_is_that_of_the_whole_table(stored: Path) -> None:
    assert tried(stored)["n_anomalies"] == 10
    assert tried(stored, rows=5000)["n_anomalies"] == 40
    assert tried(stored, max_alerts=1)["n_anomalies"] <= 1


def test_a_small_table_is_tried_as_a_whole(stored: Path) -> None:
    found = tried(stored, rows=4000)
    assert (found["n_rows"], found["n_total"]) == (4000, 4000)


def test_a_preview_is_its_owners_and_no_result(
    database: Database, actor: User, make_user: Any, store: Any, settings: Settings
) -> None:
    owner, other = actor, make_user("eve@example.org")
    dataset = store().id
    with database.session() as session:
        recipe = {**RECIPE, "contamination": "auto", "max_alerts": None}
        preview = previews.start(session, owner, dataset, recipe)
        session.flush()
        assert previews.get(session, owner, preview.id).job is not None
        with pytest.raises(NotFound):
            previews.get(session, other, preview.id)
        with pytest.raises(NotFound):
            previews.start(session, other, dataset, recipe)
        assert session.scalar(select(func.count()).select_from(Detection)) == 0
        previews.sweep(session, settings)
        assert session.get(Preview, preview.id) is not None
        preview.created_at = utc_now() - timedelta(hours=25)
        session.flush()
        previews.sweep(session, settings)
        session.expunge_all()
        assert session.get(Preview, preview.id) is None
