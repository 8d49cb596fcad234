"""Lets `python -m pynomaly` be the command `pynomaly`."""

from pynomaly.cli.main import run

run()
