"""Requests that are right, with places for values: what mutations begin from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_ROW = "6a3b7f9a-1c2d-4e5f-8a9b-0c1d2e3f4a5b"
VALID: Mapping[str, Sequence[str]] = {
    "text": ("Contoso", "US-001", "a b", "O''Brien", "Ö"),
    "number": ("1", "10", "0.5", "-3", "922337203685476.9999"),
    "instant": ("2026-10-31", "2026-10-31T22:00:00Z", "2026-10-31T22:00:00.5+02:00"),
    "guid": (_ROW, "11111111-1111-4111-8111-111111111111"),
    "name": ("name", "accountnumber", "creditlimit", "createdon", "statecode"),
    "text_column": ("name", "description", "emailaddress1", "OrganizationName"),
    "integer": ("1", "2", "10"),
    "flag": ("true", "false"),
    "any": ("x", "1"),
}


@dataclass(frozen=True)
class Shape:
    """A request with places for the kinds of values in `VALID`.

    Attributes:
        system: `dataverse` or `finance`.
        method: HTTP method.
        url: Below the system's root.
        body: Text of the body, its values as places of their own: `<text>` and so on are JSON values.
        headers: Beside the usual ones.
    """

    system: str
    method: str
    url: str
    body: str = ""
    headers: Mapping[str, str] | None = None


_DV, _FO = "/api/data/v9.2/", "/data/"
_ROLE = '{"name": <text>, "msdyn_resourcecategorynumber": <text>, "bookableresourcecategoryid": <guid>}'
_ACCOUNT = (
    '{"name": <text>, "accountnumber": <text>, "creditlimit": <number>, "numberofemployees": <integer>, '
    '"donotemail": <flag>, "customertypecode": <integer>, "lastusedincampaign": <instant>, '
    '"parentaccountid@odata.bind": "/accounts({guid})", "{text_column}": <text>}'
)
_TARGET = (
    '{"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": <guid>, "name": <text>, '
    '"{text_column}": <text>}'
)
_BATCH = (
    "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    "GET {root}accounts?$select={name}&$filter=name%20eq%20'{any}' HTTP/1.1\r\n"
    "Accept: application/json\r\n\r\n\r\n"
    "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
    "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {any}\r\n\r\n"
    "POST {root}accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" + _ACCOUNT + "\r\n"
    "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 2\r\n\r\n"
    "PATCH $1 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" + _ROLE + "\r\n"
    "--c--\r\n--b--\r\n"
)
_MULTIPART = {"Content-Type": "multipart/mixed; boundary=b"}
_CUSTOMER = (
    '{"dataAreaId": <text>, "CustomerAccount": <text>, "OrganizationName": <text>, "CreditLimit": <number>, '
    '"CustomerGroupId": <text>, "{text_column}": <text>}'
)
_CRM = "Microsoft.Dynamics.CRM."
_AX = "Microsoft.Dynamics.DataEntities."
_DMF = f"{_FO}DataManagementDefinitionGroups/{_AX}"

_FILTERS = (
    "name eq '{text}'",
    "not (name ne '{text}' and creditlimit gt {number}) or createdon le {instant}",
    "contains(name,'{text}') and startswith({name},'{text}')",
    "endswith(name,'{text}') eq true",
    "_parentaccountid_value eq {guid}",
    "parentaccountid/name eq '{text}'",
    "{name} eq {any}",
    "{text_column} eq '{text}'",
    "{any}",
    "{name} eq {name}",
    "name in ('{text}','{any}')",
    "name eq @p1&@p1='{text}'",
    f"{_CRM}In(PropertyName='{{name}}',PropertyValues=['{{text}}','{{any}}'])",
    f"{_CRM}LastXDays(PropertyName='createdon',PropertyValue={{number}})",
    f"{_CRM}Between(PropertyName='creditlimit',PropertyValues=['{{number}}','{{number}}'])",
    f"{_CRM}On(PropertyName='createdon',PropertyValue='{{instant}}')",
    "account_parent_account/any(o:o/name eq '{text}')",
    "((((((((((name eq '{text}'))))))))))",
)
_FETCH = (
    "<fetch count='{number}' page='{any}' paging-cookie='%26lt;cookie page=\"1\"/>'><entity name='account'>"
    "<attribute name='{name}' alias='{any}'/><order attribute='{name}'/><filter type='or'>"
    "<condition attribute='{name}' operator='{any}' value='{any}'/>"
    "<condition attribute='creditlimit' operator='between'><value>{number}</value>"
    "<value>{any}</value></condition><condition attribute='name' operator='eq' valueof='{any}'/>"
    "<condition attribute='createdon' operator='last-x-days' value='{number}'/></filter>"
    "<link-entity name='account' from='{name}' to='parentaccountid' link-type='outer'>"
    "<attribute name='{name}'/></link-entity></entity></fetch>"
)
_FETCH_GROUPS = (
    "<fetch aggregate='true' distinct='{flag}'><entity name='account'>"
    "<attribute name='{name}' aggregate='max' alias='{text}'/>"
    "<attribute name='{name}' groupby='true' dategrouping='week' alias='g'/>"
    "<order alias='{any}'/></entity></fetch>"
)


def _reads() -> list[Shape]:
    urls = [f"{_DV}accounts?$filter={condition}" for condition in _FILTERS]
    urls += [
        f"{_DV}accounts?$select={{name}},name&$orderby={{name}} desc&$top={{number}}&$count=true",
        f"{_DV}accounts?$expand=parentaccountid($select={{name}};$filter={{name}} eq {{any}})",
        f"{_DV}accounts?$apply=groupby(({{name}}),aggregate($count as {{name}},creditlimit with sum as t))",
        f"{_DV}accounts?$apply=filter({{name}} eq {{any}})/aggregate({{name}} with max as m)",
        f"{_DV}accounts?sql=SELECT TOP {{number}} {{name}} FROM account WHERE {{name}} = '{{any}}'",
        f"{_DV}accounts?fetchXml={_FETCH}",
        f"{_DV}accounts?fetchXml={_FETCH_GROUPS}",
        f"{_DV}accounts?$skiptoken={{any}}&$skip={{number}}",
        f"{_DV}accounts?$deltatoken={{any}}",
        f"{_DV}accounts?$deltatoken={{number}}!10/31/2026 22:00:00",
        f"{_DV}accounts/$count?$filter={{name}} eq {{any}}&$deltatoken={{any}}",
        f"{_DV}accounts({{guid}})?$select={{name}}&$expand={{any}}",
        f"{_DV}accounts({{name}}='{{text}}',{{name}}={{any}})",
        f"{_DV}accounts({{guid}})/{{name}}/{{any}}",
        f"{_DV}accounts({{guid}})/{{name}}/$value",
        f"{_DV}{{any}}",
        f"{_DV}EntityDefinitions(LogicalName='{{any}}')/Attributes?$filter={{name}} eq {{any}}&$select=x",
        f"{_DV}EntityDefinitions?$filter=LogicalName eq '{{text}}'&$expand=Attributes($select={{any}})",
        f"{_DV}sdkmessagefilters?$filter=sdkmessageid/name eq '{{any}}'",
        f"{_DV}$metadata?annotations={{any}}",
        f"{_DV}WhoAmI({{any}})",
        f'{_DV}RetrieveTotalRecordCount(EntityNames=["{{any}}"])',
        f"{_DV}$metadata/{{any}}",
    ]
    finance = [
        f"{_FO}CustomersV3?$filter={{name}} eq {{any}}&$orderby={{name}}&$skip={{number}}&$top={{number}}",
        f"{_FO}CustomersV3?cross-company={{any}}&$filter=CreditLimit add {{number}} gt {{any}}",
        f"{_FO}CustomersV3?$filter=OnHoldStatus eq {_AX}CustVendorBlocked'{{any}}'",
        f"{_FO}CustomersV3(dataAreaId='{{text}}',CustomerAccount='{{any}}')?$select={{any}}",
        f"{_FO}CustomersV3({{any}})/{{any}}",
        f"{_FO}CustomersV3?$expand={{any}}&$count={{any}}&$format={{any}}",
        f"{_FO}CustomersV3/$count?$filter=startswith(CustomerAccount,'{{any}}')",
        f"{_FO}{{any}}",
        f"{_FO}$metadata",
        "/metadata/PublicEntities('{any}')",
        "/Metadata/PublicEnumerations('{any}')?$filter={any}",
        "/Metadata/Labels(Id='{any}',Language='{any}')",
        "/Metadata/DataEntities?$filter={name} eq '{any}'&$top={number}",
        "/Metadata/{any}",
        "/blobs/{any}?sig={any}",
    ]
    return [Shape("dataverse", "GET", url) for url in urls] + [
        Shape("finance", "GET", url) for url in finance
    ]


def _writes() -> list[Shape]:
    tracked = {"Prefer": "odata.track-changes"}
    return [
        Shape("dataverse", "GET", f"{_DV}accounts?$select={{name}}", headers=tracked),
        Shape("dataverse", "POST", f"{_DV}accounts", _ACCOUNT),
        Shape("dataverse", "POST", f"{_DV}bookableresourcecategories?tag={{any}}", _ROLE),
        Shape("dataverse", "PATCH", f"{_DV}accounts({{guid}})", _ACCOUNT),
        Shape("dataverse", "PATCH", f"{_DV}accounts(accountnumber='{{any}}')", _ACCOUNT),
        Shape("dataverse", "PUT", f"{_DV}accounts({{guid}})/{{name}}", '{"value": <any>}'),
        Shape("dataverse", "PUT", f"{_DV}accounts({{guid}})/parentaccountid/$ref", '{"@odata.id": <text>}'),
        Shape("dataverse", "DELETE", f"{_DV}accounts({{guid}})/{{any}}"),
        Shape("dataverse", "DELETE", f"{_DV}accounts({{guid}})"),
        Shape("dataverse", "POST", f"{_DV}accounts/{_CRM}CreateMultiple", f'{{"Targets": [{_TARGET}]}}'),
        Shape("dataverse", "POST", f"{_DV}accounts/{_CRM}UpdateMultiple", f'{{"Targets": [{_TARGET}]}}'),
        Shape(
            "dataverse",
            "POST",
            f"{_DV}accounts/{_CRM}UpsertMultiple",
            f'{{"Targets": [{_TARGET},{_TARGET}]}}',
        ),
        Shape("dataverse", "POST", f"{_DV}accounts/{_CRM}{{any}}", '{"Targets": <any>}'),
        Shape(
            "dataverse",
            "POST",
            f"{_DV}BulkDelete",
            f'{{"JobName": <text>, "QuerySet": [{{"@odata.type": "{_CRM}QueryExpression", '
            '"EntityName": "account", "Criteria": {"Conditions": [{"AttributeName": <name>, '
            '"Operator": <text>, "Values": [{"Value": <any>, "Type": "System.Guid"}]}]}}], '
            '"StartDateTime": <instant>, "RecurrencePattern": "", "SendEmailNotification": false, '
            '"ToRecipients": [], '
            '"CCRecipients": []}',
        ),
        Shape("dataverse", "POST", f"{_DV}$batch", _BATCH.replace("{root}", _DV), _MULTIPART),
        Shape("dataverse", "POST", f"{_DV}$batch", _BATCH.replace("{root}", ""), _MULTIPART),
        Shape("finance", "POST", f"{_FO}CustomersV3", _CUSTOMER),
        Shape(
            "finance",
            "POST",
            f"{_FO}CustomerGroups?cross-company=true",
            '{"dataAreaId": <text>, "CustomerGroupId": <any>}',
        ),
        Shape(
            "finance", "PATCH", f"{_FO}CustomersV3(dataAreaId='uspm',CustomerAccount='{{any}}')", _CUSTOMER
        ),
        Shape(
            "finance", "PUT", f"{_FO}CustomersV3(dataAreaId='{{any}}',CustomerAccount='US-001')", _CUSTOMER
        ),
        Shape("finance", "DELETE", f"{_FO}CustomersV3(CustomerAccount='{{any}}',dataAreaId='{{any}}')"),
        Shape(
            "finance",
            "POST",
            f"{_FO}$batch",
            _BATCH.replace("{root}", _FO).replace("accounts", "CustomersV3"),
            _MULTIPART,
        ),
        Shape("finance", "POST", f"{_DMF}GetAzureWriteUrl", '{"uniqueFileName": <any>}'),
        Shape("finance", "POST", f"{_DMF}GetExecutionSummaryStatus", '{"executionId": <any>}'),
        Shape("finance", "POST", f"{_DMF}GetExecutionErrors", '{"executionId": <any>}'),
        Shape(
            "finance",
            "POST",
            f"{_DMF}ImportFromPackage",
            '{"packageUrl": <any>, "definitionGroupId": <any>, "executionId": <any>, "execute": <any>, '
            '"overwrite": <any>, "legalEntityId": <any>}',
        ),
        Shape(
            "finance",
            "POST",
            f"{_DMF}ExportToPackage",
            '{"definitionGroupId": <any>, "packageName": <any>, "executionId": <any>, "reExecute": <any>, '
            '"legalEntityId": <any>}',
        ),
        Shape("finance", "POST", f"{_DMF}{{any}}", '{"{text_column}": <text>}'),
        Shape(
            "dataverse", "POST", "/{any}/oauth2/v2.0/token", "grant_type={any}&client_id={any}&scope={any}"
        ),
        Shape(
            "finance",
            "POST",
            "/{any}/oauth2/token",
            "grant_type=client_credentials&client_id={any}&resource={any}",
        ),
        Shape("dataverse", "GET", "/{any}/v2.0/.well-known/openid-configuration"),
    ]


SHAPES: tuple[Shape, ...] = (*_reads(), *_writes())
