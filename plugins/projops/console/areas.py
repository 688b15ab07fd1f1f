"""The areas of maps, whose DAGs say who may read and act."""

from collections.abc import Mapping

from projops.engine import Engine


def areas_of(engine: Engine) -> Mapping[str, str]:
    """Give the areas of all maps, also of those that are off or broken, by map id.

    A map that is gone has none: what is left of it is for those who may read, or act on, every DAG.
    """
    whole = {name: each.area for name, each in engine.maps.items()}
    return whole | {each.map: each.area for each in engine.loaded.broken}
