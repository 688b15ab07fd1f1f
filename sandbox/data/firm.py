"""The firm of the demo: its legal entities, its calendar, and the ids that its rows have.

Everything in this package follows from these values, a seeded random generator and no clock, so
that the same seed gives the same rows on every machine.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeAlias
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

Value: TypeAlias = str | int | bool | Decimal | date | datetime | None
Row: TypeAlias = dict[str, Value]

TODAY = date(2026, 10, 5)
"""The day on which the demo plays; contracts and projects lie around it."""

SEED = 20261005
"""Seed of every random choice."""

_NAMESPACE = UUID("5d3b8f0e-7c1a-5c55-9a52-0f3f5a6c7d21")


@dataclass(frozen=True, slots=True)
class Company:
    """A legal entity.

    Attributes:
        code: Company code as people write it, upper case.
        name: Name of the legal entity.
        currency: Accounting currency of its ledger; its contracting unit has the same (R112).
        zone: Time zone of its people: a UserLocal midnight is midnight there.
        country: ISO country code.
        language: Language code as Finance writes it.
        prefix: What its customer and vendor accounts begin with.
        city: City of its address.
    """

    code: str
    name: str
    currency: str
    zone: ZoneInfo
    country: str
    language: str
    prefix: str
    city: str

    @property
    def area(self) -> str:
        """The code as Finance keeps it in `dataAreaId`: lower case."""
        return self.code.lower()

    @property
    def company_id(self) -> str:
        """Id of the cdm_company row."""
        return guid("cdm_company", self.code)

    @property
    def unit_id(self) -> str:
        """Id of the organizational unit that contracts for the company."""
        return guid("msdyn_organizationalunit", self.code)


COMPANIES = (
    Company(
        "USPM", "Contoso Consulting USA", "USD", ZoneInfo("America/New_York"), "USA", "en-us", "US", "Seattle"
    ),
    Company(
        "GBPM", "Contoso Consulting GB", "GBP", ZoneInfo("Europe/London"), "GBR", "en-gb", "GB", "London"
    ),
    Company(
        "DEMF", "Contoso Consulting Germany", "EUR", ZoneInfo("Europe/Berlin"), "DEU", "de", "DE", "Berlin"
    ),
)


def guid(table: str, key: str) -> str:
    """Return the id that the row of `table` with the natural key `key` always has."""
    return str(uuid5(_NAMESPACE, f"{table}/{key}"))


def currency_id(code: str) -> str:
    """Return the id of the transactioncurrency row of `code`."""
    return guid("transactioncurrency", code)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the instant at which `day` begins in `zone`, as a UserLocal column keeps a date.

    November 1 in Berlin is 2026-10-31T23:00:00Z.
    """
    return datetime.combine(day, time(), zone).astimezone(UTC)


def finance_day(day: date) -> datetime:
    """Return `day` as Finance keeps a date: at 12:00 UTC [L]."""
    return datetime.combine(day, time(12), UTC)
