"""Pure science: arrays in, scores and reasons out; no web, database, settings, files or clock."""
