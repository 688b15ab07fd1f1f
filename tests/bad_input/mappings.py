"""Bad mapping files: a good map, value map and companies, each mutated into what lint must find."""

from collections.abc import Iterator

from tests.bad_input.kinds import Case, Ending

MAP_FILE, VALUES_FILE, COMPANIES_FILE = (
    "reference_data/customers.yaml",
    "_shared/no_yes.yaml",
    "_shared/companies.yaml",
)
_HOLD = """\
value_map: hold
values:
  192350000: "No"
  192350001: Invoice
  192350002: All
  192350003: Payment
  192350004: Requisition
  192350005: Never
"""
GOOD = {
    MAP_FILE: """\
map: customers
title: Customers V3 (accounts)
version: 1.0.0.1
area: reference_data
dataverse: account
finance: CustomersV3
key:
  CustomerAccount: accountnumber
  dataAreaId: msdyn_company.cdm_companycode
needs: []
companies: all
legs:
  finance_to_dataverse:
    extract: {strategy: incremental_export}
    fields:
      name: {from: OrganizationName, required: true}
      msdyn_onholdstatus: {from: OnHoldStatus, value_map: hold}
""",
    VALUES_FILE: 'value_map: no_yes\nvalues:\n  false: "No"\n  true: "Yes"\n',
    "_shared/hold.yaml": _HOLD,
    COMPANIES_FILE: "companies:\n  USPM: {zone: America/New_York}\n",
}
# Kind, file, what is replaced by what, what the finding says. Where nothing is named, the whole file.
_MUTATIONS: tuple[tuple[str, str, str, str, str], ...] = (
    ("unknown key in a map", MAP_FILE, "title:", "titel:", "unknown key titel"),
    ("entry that is missing", MAP_FILE, "finance: CustomersV3\n", "", "lacks the entry finance"),
    ("list for a text", MAP_FILE, "Customers V3 (accounts)", "[a, b]", "title of the map must be a text"),
    ("mapping for a text", MAP_FILE, "dataverse: account", "dataverse: {a: 1}", "must be a text"),
    ("text for a list", MAP_FILE, "needs: []", "needs: units", "must be a list of texts"),
    ("text for a truth value", MAP_FILE, "required: true", "required: yes", "must be true or false"),
    ("list for a mapping", MAP_FILE, "{strategy: incremental_export}", "[a]", "must be a mapping"),
    ("scalar for a map", MAP_FILE, "", "just a text", "must be a mapping"),
    ("nothing in a map", MAP_FILE, "", "", "The file is empty"),
    ("comments only", MAP_FILE, "", "# nothing\n", "The file is empty"),
    ("tab for indentation", MAP_FILE, "  CustomerAccount", "\tCustomerAccount", "cannot be read"),
    ("wrong indentation", MAP_FILE, "  dataAreaId", "    dataAreaId", "cannot be read"),
    ("bracket that stays open", MAP_FILE, "needs: []", "needs: [", "cannot be read"),
    ("quote that stays open", MAP_FILE, "title: Customers", 'title: "Customers', "cannot be read"),
    ("two documents in a file", MAP_FILE, "needs: []", "---\nneeds: []", "cannot be read"),
    ("key that occurs twice", MAP_FILE, "needs: []", "area: x\nneeds: []", "area occurs twice"),
    ("list for a key", MAP_FILE, "needs: []", "? [a]\n: 1\nneeds: []", "A key must be a plain name"),
    ("anchor that nobody set", MAP_FILE, "needs: []", "needs: *nobody", "alias"),
    ("alias that contains itself", MAP_FILE, "needs: []", "needs: &a [*a]", "alias"),
    ("aliases that multiply", MAP_FILE, "needs: []", "LAUGHS", "alias"),
    ("a thousand brackets", MAP_FILE, "needs: []", f"needs: {'[' * 3000}{']' * 3000}", "nested"),
    ("merge of another entry", MAP_FILE, "needs: []", "<<: {needs: []}", "unknown key <<"),
    ("tag that makes an object", MAP_FILE, "needs: []", "needs: !!python/object/apply:os.system [x]", "tag"),
    ("file that is no UTF-8", MAP_FILE, "title: Customers", "title: \udcff\udcfe", "UTF-8"),
    ("control character in a file", MAP_FILE, "title: Customers", "title: \x00", "cannot be read"),
    ("file of two megabytes", MAP_FILE, "needs: []", "needs: []\n" + "# x\n" * 600_000, "larger than"),
    ("number of five thousand digits", MAP_FILE, "version: 1.0.0.1", f"version: {'1' * 5000}", "version"),
    ("version in words", MAP_FILE, "1.0.0.1", "one", "not dotted numbers"),
    ("map id of another file", MAP_FILE, "map: customers", "map: clients", "named customers"),
    ("area of another folder", MAP_FILE, "area: reference_data", "area: x", "named reference_data"),
    (
        "table that does not exist",
        MAP_FILE,
        "dataverse: account",
        "dataverse: accountt",
        "no dataverse table",
    ),
    ("entity that does not exist", MAP_FILE, "CustomersV3", "CustomersV9", "no finance table"),
    ("field that does not exist", MAP_FILE, "name: {from", "nam: {from", "nam"),
    ("source that does not exist", MAP_FILE, "from: OrganizationName", "from: OrgName", "OrgName"),
    ("key that does not exist", MAP_FILE, "CustomerAccount: acc", "CustomerAcc: acc", "CustomerAcc"),
    (
        "key field that is not mapped",
        MAP_FILE,
        "  dataAreaId: msdyn_company.cdm_companycode\n",
        "",
        "is not mapped",
    ),
    ("key that is no alternate key", MAP_FILE, "accountnumber", "name", "no alternate key"),
    ("lookup through a text", MAP_FILE, "msdyn_company.cdm", "name.cdm", "name"),
    ("map that needs nobody's map", MAP_FILE, "needs: []", "needs: [nobody]", "which does not exist"),
    ("map that needs itself", MAP_FILE, "needs: []", "needs: [customers]", "cycle"),
    ("company that does not exist", MAP_FILE, "companies: all", "companies: [zzzz]", "unknown company zzzz"),
    ("strategy of the other side", MAP_FILE, "incremental_export", "change_tracking", "cannot be read by"),
    ("strategy that nobody knows", MAP_FILE, "incremental_export", "guess", "cannot be guess"),
    ("leg that goes nowhere", MAP_FILE, "  finance_to_dataverse:", "  sideways:", "unknown key sideways"),
    ("operator that nobody knows", MAP_FILE, "required: true", "eval: 1+1", "unknown operator eval"),
    ("operator with a wrong argument", MAP_FILE, "required: true", "truncate: many", "takes a whole number"),
    ("function that is not registered", MAP_FILE, "required: true", "python: os.system", "os.system"),
    ("condition that cannot be read", MAP_FILE, "required: true", "when: name eq", "takes a condition"),
    ("condition with a call", MAP_FILE, "required: true", 'when: "__import__(1) eq 1"', "condition"),
    ("value map that does not exist", MAP_FILE, "value_map: hold", "value_map: nobody", "nobody"),
    (
        "value map of another name",
        VALUES_FILE,
        "value_map: no_yes",
        "value_map: yes_no",
        "stands in no_yes.yaml",
    ),
    ("value map without values", VALUES_FILE, "", "value_map: no_yes\n", "has no values"),
    ("value that comes back twice", VALUES_FILE, '"Yes"', '"No"', "way back is not clear"),
    ("time zone that does not exist", COMPANIES_FILE, "America/New_York", "Mars/Base", "Mars/Base"),
    ("time zone that climbs", COMPANIES_FILE, "America/New_York", "../../etc/passwd", "etc/passwd"),
)
_LAUGHS = "needs: &a0 [x, x]\n" + "".join(
    f"a{level}: &a{level} [*a{level - 1}, *a{level - 1}, *a{level - 1}]\n" for level in range(1, 40)
)
# A file of a name that no task may have: the other maps of the area run all the same.
HOSTILE_NAMES = ("with blank", "semi;colon", "ümlaut", "-dash", "dot.dot..", "quote'", "UPPER", "a" * 200)


def mapping_cases() -> Iterator[Case]:
    """Every bad mapping file: name of the file, and its content."""
    for kind, file, old, new, named in _MUTATIONS:
        content = GOOD[file].replace(old, new.replace("LAUGHS", _LAUGHS), 1) if old else new
        yield Case(kind, file, Ending.FINDING, named, content.encode("utf-8", "surrogateescape"))
