"""The history of the database's schema, for Alembic: `versions` holds one file for each step."""
