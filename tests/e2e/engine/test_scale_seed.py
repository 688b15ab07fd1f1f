"""Maps begin at once on the seed scale:N: nothing of it is refused, and nothing waits."""

from pathlib import Path

from tests.e2e.engine.world import Databases, named, opened

_ACTUALS = 60
_MAPS = (
    "companies",
    "currencies",
    "units",
    "customers",
    "contract_headers",
    "resource_roles",
    "transaction_categories",
    "funding_sources",
    "projects",
    "contract_lines",
    "project_tasks",
    "milestones",
    "actuals",
    "transaction_connections",
)


def test_a_scale_seed_comes_in_step(tmp_path: Path) -> None:
    databases = Databases(f"sqlite:///{tmp_path / 'sandbox.db'}", f"sqlite:///{tmp_path / 'state.db'}")
    with opened(databases, tmp_path, f"scale:{_ACTUALS}") as world:
        done = world.sync(*_MAPS)
        for refused in ("parked", "rejected", "failed"):
            assert named(done, refused) == {}
        assert done["customers__finance_to_dataverse"].unchanged > 0
        kept = len(world.dataverse_rows("msdyn_actuals", "msdyn_skipsync eq true"))
        assert done["actuals__dataverse_to_finance"].loaded == _ACTUALS - kept
        assert len(world.finance_rows("ProjActualsImports")) == _ACTUALS - kept
