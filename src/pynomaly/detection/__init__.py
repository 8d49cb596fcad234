"""The science: tables of numbers in, scores and reasons out. Knows no web, database, settings, file or clock."""
