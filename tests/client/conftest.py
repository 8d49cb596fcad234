"""Fixtures of the client's tests: a payments table, and clients of a real server with a real worker."""

import csv
import random

import pytest

from pynomaly.client import Client


@pytest.fixture(scope="session")
def payments(tmp_path_factory):
    """A CSV of 300 payments with labels; rows 50 and 150 are absurd."""
    source = random.Random(7)
    path = tmp_path_factory.mktemp("files") / "payments.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["amount", "age", "shop", "is_fraud"])
        for row in range(300):
            odd = row in (50, 150)
            amount, age = (90_000 + row, 300) if odd else (round(source.gauss(50, 9), 2), source.gauss(40, 6))
            writer.writerow([amount, age, source.choice(["books", "food"]), int(odd)])
    return path


@pytest.fixture(scope="session")
def ada(served):
    """An ordinary user, logged in."""
    served.account("ada@example.org")
    with Client(served.url, email="ada@example.org", password=served.password) as client:
        yield client


@pytest.fixture(scope="session")
def root(served):
    """An administrator, logged in."""
    served.account("root@example.org", "admin")
    with Client(served.url, email="root@example.org", password=served.password) as client:
        yield client


@pytest.fixture(scope="session")
def key(ada):
    """An API key of Ada's that may do all that a key may."""
    scopes = [name for name in ada.me().permissions if name != "account:write"]
    return ada.api_keys.create("tests", scopes).key


@pytest.fixture(scope="session")
def dataset(ada, payments):
    """The payments, uploaded."""
    return ada.datasets.upload(payments, label_column="is_fraud")


@pytest.fixture(scope="session")
def result(ada, dataset):
    """A completed detection on the payments."""
    return ada.detections.detect(dataset, algorithm="isolation_forest")
