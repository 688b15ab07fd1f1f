"""python-odata: classes made from `$metadata` as it stands, queried and written through."""

import pytest
import requests
from odata import ODataService

from tests.contract.process import Sandbox


def _service(base: str, session: requests.Session) -> ODataService:
    return ODataService(base, session=session, reflect_entities=True)


def test_finance(sandbox: Sandbox, session: requests.Session) -> None:
    service = _service(f"{sandbox.finance}/data/", session)
    customer = service.entities["CustomersV3"]
    query = service.query(customer).filter(customer.OrganizationName.startswith("A"))
    names = [row.OrganizationName for row in query.order_by(customer.OrganizationName.asc()).limit(3).all()]
    assert len(names) == 3
    assert names == sorted(names)
    first = service.query(customer).first()
    assert first.dataAreaId == "uspm"


def test_dataverse(sandbox: Sandbox, session: requests.Session) -> None:
    # It creates rows with a null for each property, lookups too, which Dataverse refuses: so it changes one.
    service = _service(f"{sandbox.dataverse}/api/data/v9.2/", session)
    account = service.entities["accounts"]
    row = (
        service.query(account)
        .filter(account.name.startswith("Adventure"))
        .order_by(account.name.asc())
        .first()
    )
    row.description = "PO changed"
    service.save(row)
    (again,) = service.query(account).filter(account.description == "PO changed").all()
    assert (again.accountid, again.name) == (row.accountid, row.name)


@pytest.mark.parametrize(
    ("path", "known"), [("/data/", "CustomersV3"), ("/api/data/v9.2/", "msdyn_projects")]
)
def test_every_set_is_reflected(sandbox: Sandbox, session: requests.Session, path: str, known: str) -> None:
    host = sandbox.finance if path == "/data/" else sandbox.dataverse
    sets = {entry["name"] for entry in session.get(f"{host}{path}").json()["value"]}
    # Dataverse lists three sets of its own metadata beside those of rows.
    rows = {name for name in sets if not name.endswith("Definitions")}
    assert known in rows
    assert set(_service(f"{host}{path}", session).entities) == rows
