"""A proxy before a real server loses answers: what the client sends again is still carried out once."""

import socket
import threading
from dataclasses import replace

import pytest

from pynomaly.client import Client, Conflict, NotFound, Retry


class Proxy:
    """Passes connections on to a server; of the next `lose` requests that match it swallows the answer."""

    def __init__(self, target):
        self.host, self.port = target.removeprefix("http://").split(":")
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lose, self.match, self.lost = 0, b"", 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.pass_on, args=(connection,), daemon=True).start()

    def pass_on(self, client):
        with client, socket.create_connection((self.host, int(self.port))) as server:
            loses = threading.Event()
            threading.Thread(target=self.upwards, args=(client, server, loses), daemon=True).start()
            while data := server.recv(65536):
                if loses.is_set():  # the server has done what it was asked; nobody hears of it
                    self.lost += 1
                    client.shutdown(socket.SHUT_RDWR)  # or the other thread's reading keeps it open
                    return
                client.sendall(data)

    def upwards(self, client, server, loses):
        try:
            while data := client.recv(65536):
                if self.lose and self.match in data:
                    self.lose -= 1
                    loses.set()
                server.sendall(data)
        except OSError:
            pass  # the other side has gone

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def proxy(served):
    """A proxy before the server."""
    proxy = Proxy(served.url)
    yield proxy
    proxy.close()


@pytest.fixture
def eve(served, proxy, key):
    """A client of Ada's behind the proxy, that tries again soon."""
    with Client(proxy.url, api_key=key, retry=Retry(first=0.01), timeout=8) as client:
        yield client


def lose(proxy, method, times=1):
    proxy.lose, proxy.match = times, method


def test_a_detector_is_made_once(proxy, eve):
    lose(proxy, b"POST /api/v1/detectors", times=2)
    made = eve.detectors.create(name="Once only", algorithm="hbos")
    assert proxy.lost == 2
    assert [one.id for one in eve.detectors.list(name="Once only")] == [made.id]


def test_a_file_is_uploaded_and_a_detection_run_once(proxy, eve, payments):
    lose(proxy, b"POST /api/v1/datasets/upload")
    dataset = eve.datasets.upload(payments, name="Uploaded once")
    assert [one.id for one in eve.datasets.list(name="Uploaded once")] == [dataset.id]
    lose(proxy, b"POST /api/v1/detection/detect")
    result = eve.detections.detect(dataset, algorithm="hbos")
    assert [one.id for one in eve.detections.list(dataset=dataset)] == [result.id]
    assert proxy.lost == 2


def test_a_dataset_is_deleted_and_that_is_told(proxy, eve, payments):
    dataset = eve.datasets.upload(payments)
    lose(proxy, b"DELETE ")
    assert eve.datasets.delete(dataset) is None
    assert proxy.lost == 1
    with pytest.raises(NotFound):
        eve.datasets.get(dataset)


def test_a_key_whose_answer_was_lost_is_not_shown_twice(served, proxy, ada):
    login = {"email": "ada@example.org", "password": served.password}
    with Client(proxy.url, **login, retry=Retry(first=0.01), timeout=8) as client:
        client.me()
        lose(proxy, b"POST /api/v1/auth/api-keys")
        with pytest.raises(Conflict, match="once"):
            client.api_keys.create("lost", ["datasets:read"])
        assert [key.name for key in client.api_keys.list(live=True)].count("lost") == 1


def test_a_renewal_whose_answer_was_lost_does_not_end_the_log_in(served, proxy, ada):
    login = {"email": "ada@example.org", "password": served.password}
    with Client(proxy.url, **login, retry=Retry(first=0.01), timeout=8) as client:
        [mine] = [one.id for one in client.account.sessions() if one.current]
        client._conversation._tokens = replace(client._conversation._tokens, until=0.0)
        lose(proxy, b"POST /api/v1/auth/refresh")
        assert [one.id for one in client.account.sessions() if one.current] == [mine]
        assert proxy.lost == 1
