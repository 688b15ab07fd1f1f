"""Who works and with what: workers, roles, units, products, transaction categories."""

from decimal import Decimal

from sandbox.data import awkward
from sandbox.data.firm import COMPANIES, TODAY, Company, Row, finance_day, guid

_WORKERS = 150
_PRODUCTS = 50
_CHARGEABLE = 192350001
_NON_CHARGEABLE = 192350000

_FIRST_NAMES = (
    "Åsa", "Björn", "Siân", "José", "Zoë", "Nguyễn",
    "Małgorzata", "小明", "D'Arcy", "Søren", "Aoife", "Renée",
)  # fmt: skip
_LAST_NAMES = (
    "Öberg", "O'Neill", "Müller-Lüdenscheidt", "García", "Null",
    "Smith", "Żółć", "王", "van der Berg", "Ñuñez",
)  # fmt: skip

UNITS = (
    ("ea", "Each", "Quantity", 0, True),
    ("pcs", "Pieces", "Quantity", 0, False),
    ("box", 'Box, 12" wide', "Quantity", 0, False),
    ("lic", "Licence", "Quantity", 0, False),
    ("hr", "Hours", "Time", 2, False),
    ("day", "Days", "Time", 2, False),
    ("wk", "Weeks", "Time", 2, False),
    ("mon", "Months", "Time", 2, False),
    ("min", "Minutes", "Time", 0, False),
    ("s", "Seconds", "Time", 0, True),
    ("m", "Metres", "Length", 3, True),
    ("km", "Kilometres", "Length", 3, False),
    ("mi", "Miles", "Length", 3, False),
    ("m²", "Square metres", "Area", 2, True),
    ("kg", "Kilograms", "Mass", 3, True),
    ("lb", "Pounds", "Mass", 3, False),
    ("l", "Litres", "LiquidVolume", 3, True),
    ("µg", "Micrograms; 10⁻⁶ g", "Mass", 6, False),
    ("GB", "Gigabytes", "InformationEntropy", 0, False),
    ("%", "Per cent", "Undefined", 2, False),
)
"""Symbol, description, class, digits, whether it is the base unit of its class."""

ROLES = (
    "Project manager", "Solution architect", "Consultant", "Senior consultant", "Developer", "Tester",
    "Business analyst", "Data engineer", "UX designer", "Trainer", "Électricien", "Engineer, \"lead\"",
    "Subcontractor", "Mainframe operator",
)  # fmt: skip

CATEGORIES = (
    "Design", "Development", "Testing", "Training", "Travel", "Hotel", "Per diem", "Software licences",
    "Hardware", "Workshop & café", "Fee", "Milestone",
)  # fmt: skip


def workers() -> list[Row]:
    """Rows of Workers."""
    return [_worker(place) for place in range(_WORKERS)]


def units() -> list[Row]:
    """Rows of UnitsOfMeasure."""
    return [
        {
            "UnitSymbol": symbol,
            "UnitDescription": description,
            "UnitClass": unit_class,
            "DecimalPrecision": digits,
            "IsBaseUnit": "Yes" if base else "No",
            "IsSystemUnit": "Yes" if symbol == "ea" else "No",
            "SystemOfUnits": "USCustomary" if symbol in {"mi", "lb"} else "Metric",
        }
        for symbol, description, unit_class, digits, base in UNITS
    ]


def products() -> list[Row]:
    """Rows of ReleasedProductsV2: the same items in every company, at its own prices."""
    return [_product(company, place) for company in COMPANIES for place in range(_PRODUCTS)]


def role_id(place: int) -> str:
    """Return the id of a bookableresourcecategory row."""
    return guid("bookableresourcecategory", str(place))


def roles() -> list[Row]:
    """Rows of bookableresourcecategory; the last role is inactive (Finance: disabled)."""
    last = len(ROLES) - 1
    return [
        {
            "bookableresourcecategoryid": role_id(place),
            "msdyn_resourcecategorynumber": f"RCN-{place + 1:04d}",
            "name": name,
            "description": None if place % 4 == 3 else f"{name} of Contoso Consulting",
            "msdyn_billingtype": _CHARGEABLE,
            "msdyn_targetutilization": 70 + place,
            "statecode": int(place == last),
            "statuscode": 2 if place == last else 1,
        }
        for place, name in enumerate(ROLES)
    ]


def category_id(place: int) -> str:
    """Return the id of a msdyn_transactioncategory row."""
    return guid("msdyn_transactioncategory", str(place))


def transaction_categories() -> list[Row]:
    """Rows of msdyn_transactioncategory, numbered as Microsoft's example is (R110)."""
    return [
        {
            "msdyn_transactioncategoryid": category_id(place),
            "msdyn_transactioncategorynumber": _category_number(place),
            "msdyn_name": name,
            "msdyn_billingtype": _NON_CHARGEABLE if name == "Per diem" else _CHARGEABLE,
        }
        for place, name in enumerate(CATEGORIES)
    ]


def _category_number(place: int) -> str:
    return f"TCN-{1000 + place:010d}-{category_id(place)[:5].upper()}"


def _worker(place: int) -> Row:
    first = _FIRST_NAMES[place % len(_FIRST_NAMES)]
    last = _LAST_NAMES[place * 7 // len(_FIRST_NAMES) % len(_LAST_NAMES)]
    return {
        "PersonnelNumber": f"{place + 1:06d}",
        "FirstName": first,
        "LastName": last,
        "Name": f"{first} {last}",
        "PartyType": "Person",
        "WorkerType": "Contractor" if place % 9 == 8 else "Employee",
        "WorkerStatus": "Terminated" if place % 40 == 39 else "Employed",
        "LanguageId": "en-us",
        "PrimaryContactEmail": f"worker{place + 1}@contoso.example.com",
        "OriginalHireDateTime": finance_day(TODAY.replace(year=2010 + place % 16)),
    }


def _product(company: Company, place: int) -> Row:
    name = f"Item {place + 1}: {('cable', 'sensor', 'licence', 'server', 'course')[place % 5]}"
    if place % 6 == 0:
        name = awkward.NAMES[place // 6 % len(awkward.NAMES)]
    price = Decimal(place * 13 + 5) + Decimal("0.4999")
    service = place % 5 in {2, 4}
    return {
        "dataAreaId": company.area,
        "ItemNumber": f"{place + 1:04d}" if place < 10 else f"ITM-{place + 1:04d}",
        "ProductNumber": f"{place + 1:04d}" if place < 10 else f"ITM-{place + 1:04d}",
        "ProductSearchName": name,
        "SearchName": name,
        "ProductType": "Service" if service else "Item",
        "InventoryUnitSymbol": "hr" if service else "ea",
        "PurchaseUnitSymbol": "hr" if service else "box",
        "SalesUnitSymbol": "hr" if service else "ea",
        "SalesPrice": price,
        "PurchasePrice": price / 2,
        "UnitCost": Decimal("0.0001") if place == 0 else price / 4,
    }
