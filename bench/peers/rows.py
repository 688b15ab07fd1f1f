"""The rows that all clients read: actuals of 30 columns, each value of which follows from its row's number.

What Dataverse sends without being asked for annotations: etag, GUIDs, lookups as `_x_value`, money and
decimals as numbers with all their digits, whole numbers, options, texts, instants, booleans, nulls. Every
hundredth amount has more digits than a float can hold, so that a client which passes one is found out.
"""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

PAGE = 5000
ENTITY, ENTITY_SET, PRIMARY_ID = "msdyn_actual", "msdyn_actuals", "msdyn_actualid"
COMPANY, COMPANY_ID = "USPM", "00000000-0000-0000-0000-00000000c001"
MONEY = (
    "msdyn_amount",
    "msdyn_amount_base",
    "msdyn_price",
    "msdyn_price_base",
    "msdyn_basisamount",
    "msdyn_feeamount",
)
TEN_PLACES = ("msdyn_quantity", "exchangerate")
DECIMALS = MONEY + TEN_PLACES
WHOLE = (
    "statecode",
    "statuscode",
    "msdyn_billingstatus",
    "msdyn_billingtype",
    "msdyn_transactionclassification",
    "msdyn_transactiontypecode",
)
TEXTS = ("msdyn_description", "msdyn_externaldescription", "msdyn_externalreferenceid")
LOOKUPS = (
    "msdyn_accountcustomer",
    "transactioncurrencyid",
    "msdyn_project",
    "msdyn_task",
    "msdyn_unit",
    "msdyn_transactioncategory",
    "msdyn_owningcompany",
)
INSTANTS = ("msdyn_accountingdate", "msdyn_documentdate", "createdon")
TRUTHS = ("msdyn_skipsync", "msdyn_isjournalized")
COLUMNS = (PRIMARY_ID, *WHOLE, *TEXTS, *DECIMALS, *LOOKUPS, *INSTANTS, *TRUTHS)
WIRE_LOOKUPS = tuple(f"_{name}_value" for name in LOOKUPS)
WIRE_COLUMNS = (PRIMARY_ID, *WHOLE, *TEXTS, *DECIMALS, *WIRE_LOOKUPS, *INSTANTS, *TRUTHS)
_HUGE = 812_345_678_901_234_5678  # ten-thousandths: 15 digits before the point and 4 behind it
_OPTION, _CLASS = 192_350_000, 690_970_000  # where the numbers of options begin
_FEE_EVERY = 4  # rows without a fee have null


def page(first: int, last: int, sums: Counter[str]) -> bytes:
    """Write rows as they stand in a page, between the brackets of its value.

    Args:
        first: Number of the first row.
        last: Number behind the last one.
        sums: Takes what the decimals add up to, in ten-thousandths, ten places in 10**-10.
    """
    return ",".join([_row(number, sums) for number in range(first, last)]).encode()


def exact_sums(sums: Counter[str]) -> Mapping[str, Decimal]:
    """Give what columns add up to."""
    return {name: Decimal(total).scaleb(-10 if name in TEN_PLACES else -4) for name, total in sums.items()}


def _guid(kind: int, number: int) -> str:
    return f"{number * 2654435761 % 2**32:08x}-{kind:04x}-4{number % 4096:03x}-8000-{number:012x}"


def _four(units: int) -> str:
    return f"{'-' if units < 0 else ''}{abs(units) // 10_000}.{abs(units) % 10_000:04d}"


def _ten(units: int) -> str:
    return f"{units // 10**10}.{units % 10**10:010d}"


def _amounts(number: int) -> Mapping[str, int]:
    amount = number * 7919 % 900_000_000
    if number % 100 == 0:
        amount = _HUGE + number
    elif number % 7 == 0:
        amount = -amount
    values = (amount, amount + 1, number * 104_729 % 5_000_000, number * 611_953 % 5_000_000, amount // 2)
    return dict(zip(MONEY, values, strict=False))


def _row(number: int, sums: Counter[str]) -> str:
    numbers = dict(_amounts(number))
    if number % _FEE_EVERY == 0:
        numbers["msdyn_feeamount"] = number % 777_777
    tens = {"msdyn_quantity": number % 4000 * 25 * 10**8, "exchangerate": 10**10 + number % 10**9}
    for each in (numbers, tens):
        for name, units in each.items():
            sums[name] += units
    fours = ",".join(f'"{name}":{_four(units)}' for name, units in numbers.items())
    fee = "" if number % _FEE_EVERY == 0 else ',"msdyn_feeamount":null'
    task = "null" if number % 3 == 0 else f'"{_guid(4, number // 10)}"'
    day = f"2026-{1 + number % 12:02}-{1 + number % 28:02}"
    return (
        f'{{"@odata.etag":"W/\\"{10_000_000 + number}\\"","msdyn_actualid":"{_guid(1, number)}",'
        f'"statecode":0,"statuscode":1,"msdyn_billingstatus":{_OPTION + number % 5},'
        f'"msdyn_billingtype":{_OPTION + number % 4},"msdyn_transactionclassification":{_CLASS + number % 3},'
        f'"msdyn_transactiontypecode":{_OPTION + number % 8},'
        f'"msdyn_description":"Beratung & Prüfung, 東京 {number}",'
        f'"msdyn_externaldescription":"Timmar utförda i Malmö, vecka {number % 53}",'
        f'"msdyn_externalreferenceid":"REF-{number:09}",{fours}{fee},'
        f'"msdyn_quantity":{_ten(tens["msdyn_quantity"])},"exchangerate":{_ten(tens["exchangerate"])},'
        f'"_msdyn_accountcustomer_value":"{_guid(2, number % 500)}",'
        f'"_transactioncurrencyid_value":"{_guid(6, number % 5)}",'
        f'"_msdyn_project_value":"{_guid(3, number % 2000)}","_msdyn_task_value":{task},'
        f'"_msdyn_unit_value":"{_guid(5, number % 3)}",'
        f'"_msdyn_transactioncategory_value":"{_guid(7, number % 40)}",'
        f'"_msdyn_owningcompany_value":"{COMPANY_ID}","msdyn_accountingdate":"{day}T00:00:00Z",'
        f'"msdyn_documentdate":"{day}T12:00:00Z","createdon":"{day}T{number % 24:02}:{number % 60:02}:07Z",'
        f'"msdyn_skipsync":false,"msdyn_isjournalized":{"true" if number % 2 else "false"}}}'
    )
