"""The whole round against a real server with a real worker, by both clients."""

import asyncio
import csv
from itertools import islice

import pytest

from pynomaly.client import (
    AsyncClient,
    Client,
    Conflict,
    Forbidden,
    InvalidRequest,
    JobFailed,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
    WaitTimedOut,
)


def test_a_table_is_uploaded_with_progress_read_and_listed(ada, payments):
    sent, seen = [], []
    dataset = ada.datasets.upload(
        payments,
        name="Card payments",
        label_column="is_fraud",
        progress=lambda *bytes_: sent.append(bytes_),
        on_job=seen.append,
    )
    assert (dataset.status, dataset.n_rows, dataset.name) == ("ready", 300, "Card payments")
    assert dataset.label_column == "is_fraud"
    assert [column.name for column in dataset.columns] == ["amount", "age", "shop", "is_fraud"]
    assert sent[-1][0] == sent[-1][1] > payments.stat().st_size
    assert sent == sorted(sent)
    assert seen[-1].status == "completed"
    assert dataset.id in [one.id for one in ada.datasets.list(status="ready", page_size=1)]
    rows = list(islice(ada.datasets.rows(dataset, page_size=100), 250))
    assert [row.row for row in rows] == list(range(250))


def test_a_detector_is_trained_and_finds_what_was_planted(ada, dataset, tmp_path):
    detector = ada.detectors.create(name="Payments", algorithm="isolation_forest", parameters={"n_trees": 50})
    assert (detector.status, detector.model) == ("untrained", None)
    detector = ada.detectors.train(detector, dataset)
    assert (detector.status, detector.model.version) == ("trained", 1)
    result = ada.detections.detect(dataset, detector, max_alerts=2)
    assert (result.status, result.n_anomalies) == ("completed", 2)
    assert {row.row for row in islice(ada.detections.rows(result), 2)} == {50, 150}
    path = ada.detections.export(result, tmp_path / "out.csv")
    with path.open() as file:
        assert len(list(csv.DictReader(file))) == 300
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_the_awaited_client_does_the_same(served, ada, payments, tmp_path):
    async def everything():
        async with AsyncClient(served.url, email="ada@example.org", password=served.password) as client:
            sent, pages = [], []
            dataset = await client.datasets.upload(payments, progress=lambda *bytes_: sent.append(bytes_))
            assert sent[-1][0] == sent[-1][1]
            detector = await client.detectors.create(name="Awaited", algorithm="hbos")
            detector = await client.detectors.train(detector, dataset)
            results = await asyncio.gather(
                *(client.detections.detect(dataset, detector, max_alerts=budget) for budget in (1, 2, 3))
            )
            async for found in client.detections.list(page_size=2):
                pages.append(found.id)
            assert {one.id for one in results} <= set(pages)
            path = await client.detections.export(results[0], tmp_path / "out.parquet")
            assert path.read_bytes()[:4] == b"PAR1"
            with pytest.raises(NotFound):
                await client.datasets.get("nothing")
            return await client.me()

    assert asyncio.run(everything()).email == "ada@example.org"


def test_a_key_is_enough(served, key, monkeypatch):
    with Client(served.url, api_key=key) as client:
        assert client.me().email == "ada@example.org"
    monkeypatch.setenv("PYNOMALY_SERVER", served.url + "/")
    monkeypatch.setenv("PYNOMALY_API_KEY", key)
    with Client() as client:
        assert client.me().email == "ada@example.org"
        assert key not in repr(vars(client._conversation))


def test_who_is_nobody_hears_so(served):
    with Client(served.url, api_key="pyn_wrong") as client, pytest.raises(Unauthenticated) as raised:
        client.me()
    assert raised.value.status == 401
    assert raised.value.request_id
    with (
        Client(served.url, email="ada@example.org", password="wrong") as client,
        pytest.raises(Unauthenticated) as raised,
    ):
        client.me()
    assert raised.value.code == "bad_credentials"


def test_closing_ends_the_log_in(served, ada):
    client = Client(served.url, email="ada@example.org", password=served.password)
    client.me()
    mine = client._conversation._tokens
    client.close()
    client = Client(served.url, email="ada@example.org", password=served.password)
    client._conversation._tokens = mine
    client.me()  # the old tokens are refused, also for a renewal; so it logs in again
    assert client._conversation._tokens != mine
    client.close()


def test_a_job_that_fails_says_why(ada, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("a,b\n")
    with pytest.raises(JobFailed) as raised:
        ada.datasets.upload(empty)
    assert raised.value.code == "table_empty"
    assert raised.value.job.status == "failed"
    assert raised.value.message == raised.value.job.error_detail


def test_waiting_has_an_end(ada, dataset):
    with pytest.raises(WaitTimedOut) as raised:
        ada.detections.detect(dataset, algorithm="one_class_svm", timeout=0)
    assert raised.value.job.id
    ada.jobs.wait(raised.value.job)
    result = ada.detections.detect(dataset, algorithm="hbos", wait=False)
    assert result.status in ("queued", "running")
    assert ada.jobs.wait(result).status == "completed"


def test_sparse_fields_are_all_there_is(ada, dataset):
    [found] = (one for one in ada.datasets.list(fields=["id", "n_rows"]) if one.id == dataset.id)
    assert found.n_rows == 300
    with pytest.raises(AttributeError):
        found.filename  # noqa: B018


def test_what_another_changed_meanwhile_is_not_overwritten(ada, payments):
    seen = ada.datasets.upload(payments)
    seen = ada.datasets.get(seen)
    changed = ada.datasets.update(seen, name="Mine", description="What it is", if_match=seen.etag)
    assert (changed.name, changed.description) == ("Mine", "What it is")
    assert changed.etag not in (None, seen.etag)
    with pytest.raises(PreconditionFailed):
        ada.datasets.update(seen, name="Too late", if_match=seen.etag)
    with pytest.raises(PreconditionFailed):
        ada.datasets.delete(seen, if_match=seen.etag)
    again = ada.datasets.update(seen, types={"age": "category"})
    assert (again.status, again.types) == ("ready", {"age": "category"})
    ada.datasets.delete(seen)
    with pytest.raises(NotFound):
        ada.datasets.get(seen)


def test_a_dataset_is_judged_downloaded_and_shared(served, ada, dataset, payments, tmp_path):
    assert ada.datasets.quality(dataset).n_rows == ada.datasets.profile(dataset).n_rows == 300
    assert ada.datasets.download(dataset, tmp_path / "same.csv").read_bytes() == payments.read_bytes()
    parquet = ada.datasets.download(dataset, tmp_path / "t.parquet", format="parquet")
    assert parquet.read_bytes()[:4] == b"PAR1"
    served.account("ben@example.org")
    with Client(served.url, email="ben@example.org", password=served.password) as ben:
        with pytest.raises(NotFound):
            ben.datasets.get(dataset)
        share = ada.datasets.share(dataset, email="ben@example.org")
        assert [one.user_id for one in ada.datasets.shares(dataset)] == [share.user_id]
        assert ben.datasets.get(dataset).access == "view"
        with pytest.raises(Forbidden):
            ben.datasets.update(dataset, name="Ben's")
        ada.datasets.unshare(dataset, user_id=share.user_id)
        with pytest.raises(NotFound):
            ben.datasets.get(dataset)


def test_accounts_keys_sessions_and_the_log_of_it_all(served, root, tmp_path):
    user = root.users.create("fay@example.org", served.password, name="Fay")
    assert root.users.get(user).etag
    with Client(served.url, email="fay@example.org", password=served.password) as fay:
        assert fay.account.update(name="Fay F.").name == "Fay F."
        fay.account.change_password(served.password, "another long password")
        assert [session.current for session in fay.account.sessions()] == [True]
        key = fay.api_keys.create("one", ["datasets:read"])
        assert key.key not in repr(key)
        assert [one.prefix for one in fay.api_keys.list(live=True)] == [key.prefix]
        with Client(served.url, api_key=key.key) as narrow, pytest.raises(Forbidden) as raised:
            narrow.detectors.create(name="x")
        assert raised.value.code == "forbidden"
        assert fay.api_keys.rotate(key, overlap_minutes=5).key != key.key
        fay.api_keys.revoke(key)
        root.users.update(user, active=False)
        with pytest.raises(Unauthenticated):
            fay.me()
    actions = [entry.action for entry in root.audit_log.list(target_id=user.id)]
    assert "user.create" in actions
    path = root.audit_log.export(tmp_path / "log.csv", action="user")
    assert "fay@example.org" in path.read_text()
    assert root.users.reset_password(root.users.update(user, active=True)).url.startswith("http")
    root.users.end_sessions(user, api_keys=True)
    root.users.delete(user)


def test_a_batch_is_one_job_with_many_results(ada, dataset, payments):
    other = ada.datasets.upload(payments, name="Other")
    detectors = [
        ada.detectors.train(ada.detectors.create(name=a, algorithm=a), dataset) for a in ("hbos", "ecod")
    ]
    batch = ada.detections.batch([dataset, other], detectors, max_alerts=1)
    assert {(item.dataset_id, item.detector_id) for item in batch.items} == {
        (one.id, two.id) for one in (dataset, other) for two in detectors
    }
    assert all(ada.detections.get(item.id).status == "completed" for item in batch.items)
    assert ada.jobs.get(batch.job_id).children["completed"] == 4
    assert len(list(ada.jobs.list(parent_id=batch.job_id, page_size=3))) == 4
    assert len(list(ada.detections.list(batch=batch, dataset=other, fields=["id"]))) == 2


def test_rows_are_scored_at_once(ada, dataset):
    detector = ada.detectors.train(ada.detectors.create(name="Score", algorithm="hbos"), dataset)
    rows = [{"amount": 50, "age": 40, "shop": "food"}, {"amount": 90_000, "age": 300, "shop": "food"}]
    scores = ada.detections.score(detector, rows, explain=True)
    assert (scores.version, scores.detector_id) == (1, detector.id)
    assert scores.items[1].score > scores.items[0].score
    assert scores.items[1].summary
    assert scores.items[1].reasons[0].column in ("amount", "age")


def test_versions_are_chosen_compared_moved_and_carried_away(ada, dataset, tmp_path):
    detector = ada.detectors.create(name="Versions", algorithm="hbos", description="Of payments")
    for _ in range(2):
        detector = ada.detectors.train(detector, dataset)
    assert [version.version for version in ada.detectors.versions(detector)] == [2, 1]
    assert ada.detectors.version(detector, "production").version == 2
    assert ada.detectors.activate(detector, 1).model.version == 1
    assert ada.detectors.rollback(detector).model.version == 2
    assert ada.detectors.set_alias(detector, "staging", 1).version == 1
    assert {alias.alias for alias in ada.detectors.aliases(detector)} == {"production", "staging"}
    ada.detectors.delete_alias(detector, "staging")
    assert ada.detectors.compare(detector, 1, 2).after.version == 2
    assert ada.detectors.set_threshold(detector, max_alerts=3).max_alerts == 3
    file = ada.detectors.export(detector, tmp_path / "m.pynomaly", version=1)
    copy = ada.detectors.import_file(file, name="Copy")
    assert (copy.name, copy.status, copy.algorithm) == ("Copy", "trained", "hbos")
    detector = ada.detectors.get(detector)
    renamed = ada.detectors.update(detector, name="New", if_match=detector.etag)
    assert (renamed.name, renamed.status) == ("New", "trained")
    with pytest.raises(PreconditionFailed):
        ada.detectors.delete(detector, if_match=detector.etag)
    result = ada.detections.detect(dataset, detector)
    with pytest.raises(Conflict):
        ada.detectors.delete(detector)
    ada.detectors.delete(detector, cascade=True)
    with pytest.raises(NotFound):
        ada.detections.get(result)
    assert "hbos" in [algorithm.name for algorithm in ada.detectors.algorithms()]


def test_results_are_compared(ada, dataset):
    results = [ada.detections.detect(dataset, algorithm=name, max_alerts=2) for name in ("hbos", "ecod")]
    found = ada.detections.compare(results)
    assert [one.algorithm for one in found.results] == ["hbos", "ecod"]
    assert found.pairs[0].n_both == 2


def test_verdicts_are_given_listed_and_taken_back(ada, result):
    given = ada.detections.feedback(result, {50: "anomaly", 3: "normal"}, note="seen")
    assert {(one.row, one.verdict, one.note) for one in given} == {
        (50, "anomaly", "seen"),
        (3, "normal", "seen"),
    }
    assert [one.row for one in ada.detections.all_feedback(result, page_size=1)] == [3, 50]
    assert [one.row for one in ada.detections.all_feedback(result, verdict="anomaly")] == [50]
    ada.detections.delete_feedback(result, 3)
    assert ada.detections.get(result).feedback == {"anomaly": 1, "normal": 0, "unsure": 0}
    seen = ada.detections.get(result)
    changed = ada.detections.update(result, name="March", remarks="As in February", if_match=seen.etag)
    assert (changed.name, changed.remarks) == ("March", "As in February")
    with pytest.raises(PreconditionFailed):
        ada.detections.delete(result, if_match=seen.etag)
    with pytest.raises(InvalidRequest):
        ada.detections.feedback(result, {10_000: "normal"})
