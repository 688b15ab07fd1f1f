"""Filling a database once, and filling it anew on demand."""

from collections.abc import Callable, Mapping

from sandbox.data.demo import seed_demo
from sandbox.data.empty import seed_empty
from sandbox.data.environment import ensure_environment
from sandbox.data.scale.seed import MOST_ACTUALS, seed_scale
from sandbox.store import Store

Fill = Callable[[Store], None]
Tell = Callable[[str], None]

_SEEDS: Mapping[str, Fill] = {"demo": seed_demo, "empty": seed_empty}
_SCALE = "scale:"
KNOWN = (*sorted(_SEEDS), "scale:N")
"""Names of the seeds, N being a number of actuals."""


class SeedRefusedError(ValueError):
    """A seed that does not exist, or that does not fit what the database already holds."""


def _say_nothing(_text: str) -> None:
    """Keep progress to oneself."""


def ensure_seeded(store: Store, name: str, tell: Tell = _say_nothing) -> None:
    """Fill a new database; leave one that this seed filled before as it is now.

    Args:
        store: Both systems.
        name: Of the seed: demo, empty, scale:N.
        tell: Hears how far a long filling has come.

    Raises:
        SeedRefusedError: When the seed is unknown, or another one filled the database.
    """
    seed, _ = _seed(name, tell)
    known = store.seed_name()
    if known is not None and known != seed:
        raise SeedRefusedError(
            f"This database was filled with the seed {known}, not {seed}: "
            f"start with --seed {known}, name another --database, or reset it through the control plane."
        )
    if known is None:
        # Rows without the mark are what a seeding left that was cut short.
        reseed(store, seed, tell)
    ensure_environment(store)


def check_seed(name: str) -> None:
    """Say whether there is such a seed.

    Raises:
        SeedRefusedError: When there is none.
    """
    _seed(name, _say_nothing)


def reseed(store: Store, name: str, tell: Tell = _say_nothing) -> str:
    """Empty both systems and fill them with a seed; return its name as it is remembered.

    Raises:
        SeedRefusedError: When the seed is unknown; then nothing is emptied.
    """
    seed, fill = _seed(name, tell)
    store.clear()
    ensure_environment(store)
    fill(store)
    store.mark_seeded(seed)
    return seed


def _seed(name: str, tell: Tell) -> tuple[str, Fill]:
    """Return a seed's one name, and what fills a store with it."""
    if name.startswith(_SCALE):
        actuals = _actuals(name.removeprefix(_SCALE))
        return f"{_SCALE}{actuals}", lambda store: seed_scale(store, actuals, tell)
    if name not in _SEEDS:
        raise SeedRefusedError(f"There is no seed named {name}. Known seeds: {', '.join(KNOWN)}.")
    return name, _SEEDS[name]


def _actuals(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    if not 1 <= number <= MOST_ACTUALS:
        raise SeedRefusedError(
            f"The seed scale:N takes a number of actuals from 1 to {MOST_ACTUALS:,}, in digits only as in "
            f"scale:100000; {text!r} is none."
        )
    return number
