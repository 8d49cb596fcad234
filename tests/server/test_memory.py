"""What checking passwords takes is given back."""

import subprocess
import sys

CODE = """
import sys, threading, psutil
from pynomaly.server.memory import return_large_blocks
from pynomaly.server.users.passwords import hash_password
if sys.argv[1] == "on":
    return_large_blocks()
def work():
    for _ in range(3):
        hash_password("correct horse battery")
threads = [threading.Thread(target=work) for _ in range(3)]
before = psutil.Process().memory_info().rss
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print((psutil.Process().memory_info().rss - before) / 2**20)
"""


def grown(how: str) -> float:
    done = subprocess.run([sys.executable, "-c", CODE, how], capture_output=True, text=True, check=True)
    return float(done.stdout)


def test_nothing_is_kept() -> None:
    assert grown("on") < 5
