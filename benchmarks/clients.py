"""A process of its own that plays many clients making one GET after the other, without a pause.

Usage: python benchmarks/clients.py HOST:PORT PATH TOKEN CLIENTS; ends when its standard input does, and then
prints the latencies in milliseconds as a JSON list.
"""

import http.client
import json
import sys
import threading
import time


def client(address: str, path: str, token: str, latencies: list[float], stop: threading.Event) -> None:
    """Ask until told to stop, over one connection."""
    connection = http.client.HTTPConnection(address, timeout=30)
    while not stop.is_set():
        start = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"GET {path} answers {answer.status}")
        latencies.append(1000 * (time.perf_counter() - start))
    connection.close()


def main() -> None:
    """Run the clients."""
    address, path, token, count = sys.argv[1:]
    latencies: list[float] = []
    stop = threading.Event()
    arguments = (address, path, token, latencies, stop)
    threads = [threading.Thread(target=client, args=arguments) for _ in range(int(count))]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    json.dump(latencies, sys.stdout)


if __name__ == "__main__":
    main()
