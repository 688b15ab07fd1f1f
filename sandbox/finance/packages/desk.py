"""What exports and imports, and questions about them, work with."""

from dataclasses import dataclass

from sandbox.finance.catalog import Catalog
from sandbox.finance.packages.blobs import BlobStore
from sandbox.finance.packages.tables import PackageTables
from sandbox.stats import Stats


@dataclass(frozen=True)
class ImportDesk:
    """The parts of data management that an execution needs.

    Attributes:
        catalog: The entity sets.
        tables: State of data management.
        blobs: Packages.
        stats: Where rows that are written are counted and logged.
    """

    catalog: Catalog
    tables: PackageTables
    blobs: BlobStore
    stats: Stats
