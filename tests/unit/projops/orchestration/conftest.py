"""Two areas of small maps, good and broken."""

from pathlib import Path

import pytest

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
