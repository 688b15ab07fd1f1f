"""The seed of a database without rows."""

from sandbox.store import Store


def seed_empty(store: Store) -> None:
    """Leave `store` as it was created: every table there, no row in any."""
