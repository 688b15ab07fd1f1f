"""Each vendor stands in Dataverse as an account too."""

from sandbox.dataverse.desk import Desk

USD = "11111111-0000-0000-0000-000000000001"
EUR = "11111111-0000-0000-0000-000000000002"
USPM = "22222222-0000-0000-0000-000000000001"


def vendor(desk: Desk, **values: object) -> str:
    full = {
        "msdyn_vendoraccountnumber": "US-V001",
        "msdyn_company": USPM,
        "msdyn_name": "Contoso Paper",
        "msdyn_currencycode": USD,
    }
    return desk.create("msdyn_vendor", full | values)


def test_a_vendor_becomes_an_account_of_its_company_and_follows_it(desk: Desk) -> None:
    vendor_id = vendor(desk)
    [account] = desk.find("account", accountnumber="us-v001", msdyn_company=USPM)
    assert (account["name"], account["customertypecode"]) == ("Contoso Paper", 11)
    desk.update("msdyn_vendor", vendor_id, {"msdyn_name": "Contoso Card", "msdyn_currencycode": EUR})
    [renamed] = desk.find("account", accountnumber="US-V001")
    assert (renamed["name"], renamed["transactioncurrencyid"]) == ("Contoso Card", EUR)
    assert renamed["accountid"] == account["accountid"]


def test_a_customer_with_the_vendor_s_number_stays_a_customer(desk: Desk) -> None:
    desk.create(
        "account", {"accountnumber": "US-V001", "msdyn_company": USPM, "name": "Both", "customertypecode": 3}
    )
    vendor(desk)
    [account] = desk.find("account", accountnumber="US-V001")
    assert (account["name"], account["customertypecode"]) == ("Both", 3)


def test_a_vendor_without_number_or_company_has_no_account(desk: Desk) -> None:
    vendor(desk, msdyn_vendoraccountnumber=None)
    vendor(desk, msdyn_company=None, msdyn_vendoraccountnumber="US-V002")
    assert desk.find("account") == []
