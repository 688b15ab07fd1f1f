"""The legal entities that maps may name, and the time zone in which each one's days begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from projops.mapping.documents import Document, Located
from projops.mapping.findings import Finding

DEFAULT_ZONE = "UTC"


@dataclass(frozen=True, slots=True)
class Company:
    """A legal entity.

    Attributes:
        code: Finance `dataAreaId` and Dataverse `cdm_companycode`, in lower case.
        zone: IANA time zone in which its days begin and end.
    """

    code: str
    zone: str = DEFAULT_ZONE


def zone_of(companies: Mapping[str, Company], code: str | None) -> str:
    """The time zone of a company: UTC of one that is not named, or not known."""
    return companies[code].zone if code is not None and code in companies else DEFAULT_ZONE


def read_companies(path: Path, file: str) -> tuple[Mapping[str, Company], tuple[Finding, ...]]:
    """Read `companies.yaml`: companies by code in lower case, and what is wrong with the file."""
    document = Document(path, file)
    root = document.section(document.root, "companies.yaml", frozenset({"companies"}))
    found = {}
    for code, located in document.section(root.get("companies"), "companies").items():
        facts = document.section(located, f"company {code}", frozenset({"name", "zone"}))
        zone = document.text(facts, "zone", f"company {code}", DEFAULT_ZONE)
        _check_zone(document, located, str(code), zone)
        found[str(code).lower()] = Company(str(code).lower(), zone)
    return MappingProxyType(found), tuple(document.findings)


def _check_zone(document: Document, located: Located, code: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        document.report(
            located.line,
            f"Company {code} has the unknown time zone {zone}.",
            "Use an IANA name such as Europe/Berlin.",
        )
