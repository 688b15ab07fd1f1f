from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

GOOD_MAP = """\
map: customers
title: Customers V3 (accounts)
version: 1.0.0.1
area: reference_data
dataverse: account
finance: CustomersV3
key:
  CustomerAccount: accountnumber
  dataAreaId: msdyn_company.cdm_companycode
needs: []
companies: all
legs:
  finance_to_dataverse:
    extract: {strategy: incremental_export}
    fields:
      name: {from: OrganizationName, required: true}   # DOC P5
"""

Write = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of maps with companies and a value map."""
    shared = tmp_path / "include" / "mappings" / "_shared"
    shared.mkdir(parents=True)
    (shared / "companies.yaml").write_text("companies:\n  USPM: {zone: America/New_York}\n")
    (shared / "no_yes.yaml").write_text('value_map: no_yes\nvalues:\n  false: "No"\n  true: "Yes"\n')
    return shared.parent


@pytest.fixture
def write(folder: Path) -> Iterator[Write]:
    """Write `<area>/<map>.yaml`."""

    def write_map(place: str, text: str) -> Path:
        path = folder / f"{place}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_map
