"""Two areas of small maps, good and broken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projops.engine import Engine
from projops.mapping.model import System
from projops.settings import Settings
from projops.systems.connection import Connection

UNITS = """\
map: units
title: Units
version: 1.0.0.0
area: reference_data
dataverse: uom
finance: UnitsOfMeasure
key:
  UnitSymbol: msdyn_symbol
legs:
  finance_to_dataverse:
    extract: {strategy: snapshot}
    write: upsert
    deletes: ignore
    fields:
      name: {from: UnitSymbol, required: true}
"""

COMPANIES = """\
map: companies
title: Legal entities
version: 1.0.0.0
area: reference_data
dataverse: cdm_company
finance: LegalEntities
key:
  LegalEntityId: cdm_companycode
legs:
  finance_to_dataverse:
    extract: {strategy: snapshot}
    write: upsert
    deletes: ignore
    fields:
      cdm_name: {from: Name, required: true}
"""

VENDORS = """\
map: vendors
title: Vendors V2
version: 1.0.0.0
area: reference_data
dataverse: msdyn_vendor
finance: VendorsV2
key:
  VendorAccountNumber: msdyn_vendoraccountnumber
  dataAreaId: msdyn_company.cdm_companycode
needs: [companies]
conflict: finance
legs:
  finance_to_dataverse:
    extract: {strategy: incremental_export}
    write: upsert
    deletes: ignore
    fields:
      msdyn_name: {from: VendorOrganizationName}
  dataverse_to_finance:
    extract: {strategy: change_tracking}
    write: upsert
    deletes: ignore
    fields:
      VendorOrganizationName: {from: msdyn_name}
"""


@pytest.fixture
def mappings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of good maps, which the settings point at."""
    folder = tmp_path / "mappings" / "reference_data"
    folder.mkdir(parents=True)
    for name, text in (("units", UNITS), ("companies", COMPANIES), ("vendors", VENDORS)):
        (folder / f"{name}.yaml").write_text(text)
    monkeypatch.setenv("PROJOPS_MAPPINGS", str(folder.parent))
    return folder.parent


@pytest.fixture(scope="session")
def connected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """An engine on the project's own maps that knows where both systems are, and asks neither."""
    urls = {System.DATAVERSE: "https://org.crm4.dynamics.com", System.FINANCE: "http://127.0.0.1:8802"}
    folder = tmp_path_factory.mktemp("connected")
    settings = Settings(state_url=f"sqlite:///{folder / 'state.db'}", staging=str(folder / "staging"))
    with Engine.open(settings, lambda system: Connection("c", system, urls[system])) as opened:
        yield opened
