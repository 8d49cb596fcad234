"""Scoring at once: rows of JSON in, scores out, by a warm process beside the API, which stays light."""
