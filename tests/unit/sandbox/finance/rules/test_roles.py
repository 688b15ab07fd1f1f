"""Roles of the legal entities."""

import pytest

from sandbox.finance.books import Books
from sandbox.finance.errors import FinanceError
from sandbox.rules.hooks import Caller

SHARED, OWN = "ResourceCategoriesShared", "ResourceCategories"


@pytest.fixture
def role(books: Books) -> Books:
    for code in ("USPM", "GBPM", "DEMF"):
        books.insert("LegalEntities", {"LegalEntityId": code})
    books.insert(SHARED, {"RoleId": "RCN-1", "Description": "Consultant"})
    return books


def test_r109_a_role_has_one_row_in_every_legal_entity(role: Books) -> None:
    rows = role.find(OWN)
    assert [row["dataAreaId"] for row in rows] == ["uspm", "gbpm", "demf"]
    assert {(row["RoleId"], row["Description"], row["IsCategoryDisabled"]) for row in rows} == {
        ("RCN-1", "Consultant", "No")
    }


def test_r109_a_change_of_the_role_reaches_every_legal_entity(role: Books) -> None:
    role.update(SHARED, role.get(SHARED), {"IsCategoryDisabled": "True", "Description": "Retired"})
    rows = role.find(OWN)
    assert len(rows) == 3
    assert {(row["Description"], row["IsCategoryDisabled"]) for row in rows} == {("Retired", "Yes")}


def test_r109_a_new_legal_entity_gets_every_role(role: Books) -> None:
    role.insert("LegalEntities", {"LegalEntityId": "JPMF"})
    assert role.get(OWN, dataAreaId="jpmf")["RoleId"] == "RCN-1"


def test_r109_a_deleted_role_leaves_the_legal_entities(role: Books) -> None:
    role.delete(SHARED, role.get(SHARED))
    assert role.find(OWN) == []


def test_r108_people_do_not_make_change_or_delete_roles_of_a_legal_entity(role: Books) -> None:
    row = role.get(OWN, dataAreaId="uspm")
    with pytest.raises(FinanceError, match="for reference only"):
        role.insert(OWN, {"dataAreaId": "uspm", "RoleId": "MINE"}, Caller.USER)
    with pytest.raises(FinanceError, match="for reference only"):
        role.update(OWN, row, {"Description": "Mine"}, Caller.USER)
    with pytest.raises(FinanceError, match="for reference only"):
        role.delete(OWN, row, Caller.USER)
