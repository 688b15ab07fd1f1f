"""Alembic's entry: runs on the connection that `StateStore` hands in."""

from alembic import context

from projops.state.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
