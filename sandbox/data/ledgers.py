"""Legal entities, ledgers, currencies and exchange rates."""

from datetime import date, timedelta
from decimal import Decimal
from random import Random

from sandbox.data.firm import COMPANIES, SEED, Row, currency_id, finance_day

CURRENCIES = {
    "USD": ("US dollar", "$"),
    "GBP": ("Pound sterling", "£"),
    "EUR": ("Euro", "€"),
    "SEK": ("Svensk krona", "kr"),
    "NOK": ("Norsk krone", "kr"),
    "DKK": ("Dansk krone", "kr."),
    "CHF": ("Schweizer Franken", "Fr."),
    "PLN": ("Złoty polski", "zł"),
    "INR": ("Indian rupee", "₹"),
    "JPY": ("日本円", "¥"),
}
"""Name and symbol by code, all known to Finance."""

RATE_TYPES = {
    "Default": "Default exchange rate type",
    "Average": "Monthly average",
    "Budget": "Budget, fixed for the year",
}

_IN_USD = {
    "GBP": "1.2718",
    "EUR": "1.0842",
    "SEK": "0.09463",
    "NOK": "0.09317",
    "DKK": "0.14537",
    "CHF": "1.1329",
    "PLN": "0.25184",
    "INR": "0.011873",
    "JPY": "0.0066917",
}
_MONTHS = 24
_FIRST_MONTH = date(2025, 1, 1)
_NEVER = date(2154, 12, 31)  # Finance's last day [L]
_LEAP_DAY = date(2028, 2, 29)
_DIGITS = Decimal("1E-10")


def legal_entities() -> list[Row]:
    """Rows of LegalEntities."""
    return [
        {
            "LegalEntityId": company.code,
            "Name": company.name,
            "CompanyName": company.name,
            "LanguageId": company.language,
            "CompanyCountry": company.country,
            "AddressCity": company.city,
            "AddressCountryRegionId": company.country,
        }
        for company in COMPANIES
    ]


def companies() -> list[Row]:
    """Rows of cdm_company: what Dataverse knows of the legal entities from the start."""
    return [
        {"cdm_companyid": company.company_id, "cdm_companycode": company.code, "cdm_name": company.name}
        for company in COMPANIES
    ]


def organizational_units() -> list[Row]:
    """Rows of msdyn_organizationalunit, one a company in its ledger's currency (R112)."""
    return [
        {
            "msdyn_organizationalunitid": company.unit_id,
            "msdyn_name": company.name,
            "msdyn_currency": currency_id(company.currency),
            "msdyn_company": company.company_id,
        }
        for company in COMPANIES
    ]


def finance_currencies() -> list[Row]:
    """Rows of Currencies."""
    return [
        {"CurrencyCode": code, "Name": name, "Symbol": symbol, "GeneralRoundingRule": Decimal("0.01")}
        for code, (name, symbol) in CURRENCIES.items()
    ]


def transaction_currencies() -> list[Row]:
    """Rows of transactioncurrency: the three that Dataverse's own rows refer to."""
    codes = [company.currency for company in COMPANIES]
    return [
        {
            "transactioncurrencyid": currency_id(code),
            "isocurrencycode": code,
            "currencyname": CURRENCIES[code][0],
            "currencysymbol": CURRENCIES[code][1],
            "exchangerate": Decimal(1),
            "currencyprecision": 2,
        }
        for code in codes
    ]


def ledgers() -> list[Row]:
    """Rows of Ledgers, one a company; one names its company in lower case, as Finance may."""
    return [
        {
            "LegalEntityId": company.area if company.code == "GBPM" else company.code,
            "Name": company.code,
            "Description": f"Ledger of {company.name}",
            "AccountingCurrency": company.currency,
            "ReportingCurrency": "USD",
            "ExchangeRateType": "Default",
            "BudgetExchangeRateType": "Budget",
            "ReportingCurrencyExchangeRateType": "Average",
            "IsBudgetControlEnabled": "Yes" if company.code == "USPM" else "No",
            "ChartOfAccounts": "Shared",
            "FiscalCalendar": "Fiscal",
        }
        for company in COMPANIES
    ]


def exchange_rate_types() -> list[Row]:
    """Rows of ExchangeRateTypes."""
    return [{"Name": name, "Description": description} for name, description in RATE_TYPES.items()]


def exchange_rate_pairs() -> list[Row]:
    """Rows of ExchangeRateCurrencyPairs; yen are quoted by the hundred."""
    return [
        {
            "ExchangeRateTypeName": rate_type,
            "FromCurrencyCode": origin,
            "ToCurrencyCode": target,
            "ExchangeRateDisplayFactor": "Hundred" if origin == "JPY" else "One",
        }
        for rate_type, origin, target in _pairs()
    ]


def exchange_rates() -> list[Row]:
    """Rows of ExchangeRatesCDSEntity: one a month and pair for two years, with ten digits."""
    random = Random(SEED)
    rows = []
    for rate_type, origin, target in _pairs():
        rate = _cross_rate(origin, target)
        for month in range(_MONTHS):
            rate += rate * Decimal(random.randint(-150, 150)) / 10_000
            begin, end = _month(month), _month(month + 1) - timedelta(days=1)
            rows.append(_rate(rate_type, origin, target, begin, end, rate))
        rows.append(_rate(rate_type, origin, target, _month(_MONTHS), _LEAP_DAY - timedelta(days=1), rate))
        rows.append(_rate(rate_type, origin, target, _LEAP_DAY, _NEVER, rate))
    return rows


def _pairs() -> list[tuple[str, str, str]]:
    to_dollar = [("Default", origin, "USD") for origin in _IN_USD]
    to_euro = [("Default", origin, "EUR") for origin in ("USD", "GBP", "SEK", "CHF", "PLN")]
    to_pound = [("Default", origin, "GBP") for origin in ("USD", "EUR", "SEK", "INR")]
    average = [("Average", origin, "USD") for origin in ("GBP", "EUR", "SEK")]
    return [*to_dollar, *to_euro, *to_pound, *average, ("Budget", "EUR", "USD"), ("Budget", "GBP", "USD")]


def _cross_rate(origin: str, target: str) -> Decimal:
    """Return what one unit of `origin` costs in `target`; a hundred units where it is yen."""
    dollars = {"USD": "1", **_IN_USD}
    factor = 100 if origin == "JPY" else 1
    return Decimal(dollars[origin]) / Decimal(dollars[target]) * factor


def _month(index: int) -> date:
    years, months = divmod(_FIRST_MONTH.month - 1 + index, 12)
    return date(_FIRST_MONTH.year + years, months + 1, 1)


def _rate(rate_type: str, origin: str, target: str, begin: date, end: date, rate: Decimal) -> Row:
    return {
        "ExchangeRateTypeName": rate_type,
        "FromCurrencyCode": origin,
        "ToCurrencyCode": target,
        "ValidFrom": finance_day(begin),
        "ValidTo": finance_day(end),
        "Rate": rate.quantize(_DIGITS),
    }
