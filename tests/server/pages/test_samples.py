"""Sample tables: one click leads to a result."""

from typing import Any

import pytest

from pynomaly.server.datasets.models import Dataset
from pynomaly.server.db import Database
from pynomaly.server.detections.models import Detection
from pynomaly.server.detections.samples import SAMPLES

pytestmark = pytest.mark.any_database


@pytest.mark.parametrize("name", list(SAMPLES))
def test_one_click_leads_to_a_result(person: Any, worker: Any, database: Database, name: str) -> None:
    sample = SAMPLES[name]
    assert f'value="{name}"' in person.see("/")
    address = person.go("/samples", sample=name)
    page = person.until_done(address)
    assert f"of {sample.n_rows:,} rows" in page
    assert "area under the ROC curve" in page
    with database.session(write=False) as session:
        detection = session.get_one(Detection, address.rsplit("/", 1)[1])
        dataset = session.get_one(Dataset, detection.dataset_id)
        assert (dataset.n_rows, dataset.n_columns) == (sample.n_rows, sample.n_columns)
        assert dataset.size_bytes > 1000
        assert detection.n_anomalies
        assert {sample.label_column, *sample.left_out}.isdisjoint(detection.columns or ())
    assert person.http.get(f"/api/v1/datasets/{dataset.id}/download").status_code == 200


def test_a_cancelled_sample_says_so_everywhere(person: Any, worker: Any) -> None:
    worker.stop()
    address = person.go("/samples", sample="wine")
    page = person.see(address)
    job = page.split('data-job="')[1].split('"')[0]
    assert person.go(f"/jobs/{job}/cancel", next=address) == address
    person.until_done(address)
    assert "failed" in person.see("/datasets")


def test_no_other_name_is_taken(person: Any, viewer: Any) -> None:
    assert "There is no sample table of this name" in person.send("/samples", sample="../../etc/passwd")
    assert viewer.http.post("/samples", data={"sample": "wine"}).status_code == 403
