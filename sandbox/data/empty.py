"""The seed of a database without rows of people."""

from sandbox.store import Store


def seed_empty(store: Store) -> None:
    """Leave `store` as it was created: every table there, no row but the environment's own."""
