"""A trained detector of the ordinary user, and one scoring process for all tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from trained_rows import app, scorer, settings, trained

__all__ = ["app", "scorer", "settings", "trained"]
