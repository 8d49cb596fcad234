"""Alembic's entry: run the steps on the connection and in the transaction that `server.migrate` has begun."""

from alembic import context

from pynomaly.server.db import Base, load_models

load_models()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,  # SQLite can, and `server.migrate` owns the transaction
    render_as_batch=True,  # SQLite changes a table by making a new one
    compare_type=True,
)
context.run_migrations()
