"""Roles: one shared by all, one row of it in every legal entity (R108, R109)."""

from typing import Any

from sandbox.finance.books import Books
from sandbox.rules.hooks import Change, Row, Verb, effect, guard

SHARED = "ResourceCategoriesShared"
OWN = "ResourceCategories"


def _spread(books: Books, change: Change) -> None:
    """Keep one row of a role in every legal entity (R109)."""
    for entity in books.find("LegalEntities"):
        _keep(books, entity["LegalEntityId"].lower(), change.after)


def _equip(books: Books, change: Change) -> None:
    """Give a new legal entity a row of every role (R109)."""
    for role in books.find(SHARED):
        _keep(books, change.after["LegalEntityId"].lower(), role)


def _withdraw(books: Books, change: Change) -> None:
    """Take a deleted role away from the legal entities."""
    for row in books.find(OWN, RoleId=change.before["RoleId"]):
        books.delete(OWN, row)


def _refuse_people(books: Books, change: Change) -> None:
    """Refuse a role that is made, changed or deleted in a legal entity: roles are reference only (R108)."""
    raise books.refused(
        OWN,
        f"Error: The role '{change.after['RoleId']}' is for reference only. Change it in Project Operations, "
        "whence it comes to every legal entity",
    )


def _keep(books: Books, company: str, role: Row) -> None:
    key: dict[str, Any] = {"dataAreaId": company, "RoleId": role["RoleId"]}
    disabled = "Yes" if role["IsCategoryDisabled"] == "True" else "No"
    values = {"Description": role["Description"], "IsCategoryDisabled": disabled}
    known = books.first(OWN, **key)
    if known is None:
        books.insert(OWN, key | values)
    else:
        books.update(OWN, known, values)


HOOKS = (
    effect(SHARED, (Verb.CREATE, Verb.UPDATE), _spread),
    effect(SHARED, (Verb.DELETE,), _withdraw),
    effect("LegalEntities", (Verb.CREATE,), _equip),
    guard(OWN, tuple(Verb), _refuse_people),
)
