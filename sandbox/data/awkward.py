"""Texts and amounts that break naive code, each for a reason.

They stand in the demo on purpose: who moves them unchanged handles quoting, encoding, wildcards,
CSV, null conventions and exact decimals.
"""

from decimal import Decimal

MOST_MONEY = Decimal("922337203685476.9999")
"""The largest amount below the bound of a money column, to the last of its four digits."""

NAMES = (
    "O'Brien & Söhne GmbH",  # OData literals double the apostrophe
    "Åkerström, Älvsjö & Öberg AB",  # case folding beyond ASCII, a comma in CSV
    "Rocket 🚀 Labs 👩‍💻",  # beyond the basic plane, a zero-width joiner
    "東京コンサルティング株式会社",
    'The "Quoted", Company; Inc.',
    "  Blank at both Ends  ",
    "100% Cotton_Wool [UK] Ltd",  # LIKE wildcards of Dataverse
    "Star * Wild ? Card",  # wildcard of Finance
    "Two\nLines\tand a Tab",
    "null",  # texts that readers of CSV take for missing
    "NaN",
    "N/A",
    "<b>Bold</b> &amp; Sons",
    "=SUM(A1:A9)",
    "İstanbul Straße ΣΊΣΥΦΟΣ",  # letters whose folding changes their number
    "Cafe\u0301 Décomposé",  # a combining accent beside a composed one
    "Back\\slash / Slash + Plus # Hash",
)

ACCOUNTS = ("O'B/7", "R&D #1", "50%_A", "MÜ 1+1", "000123", "1E5")
"""Ends of customer accounts that a URL key, a number parser or a wildcard gets wrong."""

AMOUNTS = (
    Decimal("0.0001"),
    Decimal("1234.5678"),
    Decimal("0.1"),
    Decimal("99999999999999.9999"),
    Decimal(0),
)


def longest(length: int) -> str:
    """Return a text of exactly `length` characters, ending in letters beyond ASCII."""
    return ("Longest text that the column allows, " * (length // 37 + 1))[: length - 3] + "åäö"
