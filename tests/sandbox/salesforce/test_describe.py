"""What the org says of its types and fields."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from sandbox.world import World
from tests.sandbox.salesforce.conftest import BASE, Api

# Every key that the describe of a field has (Salesforce's REST reference), whoever reads it.
FIELD_KEYS = {
    "aggregatable", "aiPredictionField", "autoNumber", "byteLength", "calculated", "calculatedFormula", "cascadeDelete",
    "caseSensitive", "compoundFieldName", "controllerName", "createable", "custom", "defaultValue",
    "defaultValueFormula", "defaultedOnCreate", "dependentPicklist", "deprecatedAndHidden", "digits",
    "displayLocationInDecimal", "encrypted", "externalId", "extraTypeInfo", "filterable", "filteredLookupInfo",
    "formulaTreatNullNumberAsZero", "groupable", "highScaleNumber", "htmlFormatted", "idLookup", "inlineHelpText",
    "label", "length", "mask", "maskType", "name", "nameField", "namePointing", "nillable", "permissionable",
    "picklistValues", "polymorphicForeignKey", "precision", "queryByDistance", "referenceTargetField", "referenceTo",
    "relationshipName", "relationshipOrder", "restrictedDelete", "restrictedPicklist", "scale", "searchPrefilterable",
    "soapType", "sortable", "type", "unique", "updateable", "writeRequiresMasterRead",
}  # fmt: skip
TYPE_KEYS = {
    "actionOverrides", "activateable", "associateEntityType", "associateParentEntity", "childRelationships",
    "compactLayoutable", "createable", "custom", "customSetting", "deepCloneable", "defaultImplementation", "deletable",
    "deprecatedAndHidden", "extendedBy", "extendsInterfaces", "feedEnabled", "fields", "hasSubtypes", "implementedBy",
    "implementsInterfaces", "isInterface", "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable",
    "listviewable", "lookupLayoutable", "mergeable", "mruEnabled", "name", "namedLayoutInfos", "networkScopeFieldName",
    "queryable", "recordTypeInfos", "replicateable", "retrieveable", "searchLayoutable", "searchable",
    "sobjectDescribeOption", "supportedScopes", "triggerable", "undeletable", "updateable", "urls",
}  # fmt: skip


def described(api: Api, kind: str) -> dict[str, Any]:
    body: dict[str, Any] = api("GET", f"sobjects/{kind}/describe").json()
    return body


def field(api: Api, kind: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in described(api, kind)["fields"] if each["name"] == name]
    return dict(found)


def test_every_type_is_described_with_every_key(api: Api, world: World) -> None:
    for sobject in world.org.schema:
        body = described(api, sobject.name)
        assert body.keys() == TYPE_KEYS
        assert all(each.keys() == FIELD_KEYS for each in body["fields"])
        assert [each["name"] for each in body["fields"]] == [each.name for each in sobject.fields.values()]


def test_the_global_describe_lists_the_types_in_order(api: Api, world: World) -> None:
    body = api("GET", "sobjects").json()
    assert (body["encoding"], body["maxBatchSize"]) == ("UTF-8", 200)
    names = [each["name"] for each in body["sobjects"]]
    assert names == sorted(each.name for each in world.org.schema)
    (account,) = [each for each in body["sobjects"] if each["name"] == "Account"]
    assert account["urls"]["describe"] == f"{BASE}/sobjects/Account/describe"
    assert account["urls"]["rowTemplate"] == f"{BASE}/sobjects/Account/{{ID}}"
    assert (account["keyPrefix"], account["labelPlural"], account["custom"]) == ("001", "Accounts", False)


def shown(api: Api, kind: str, name: str, *keys: str) -> tuple[Any, ...]:
    found = field(api, kind, name)
    return tuple(found[key] for key in keys)


def test_kinds_of_fields(api: Api) -> None:
    types = ("type", "soapType", "length", "byteLength", "precision", "scale")
    assert shown(api, "Account", "Id", *types) == ("id", "tns:ID", 18, 18, 0, 0)
    assert shown(api, "Account", "Name", *types) == ("string", "xsd:string", 255, 765, 0, 0)
    assert shown(api, "Order", "WHMCS_Order_Id__c", *types) == ("double", "xsd:double", 0, 0, 18, 0)
    assert shown(api, "Order", "EffectiveDate", *types) == ("date", "xsd:date", 0, 0, 0, 0)
    assert shown(api, "Account", "BillingAddress", *types) == ("address", "urn:address", 0, 0, 0, 0)
    assert shown(api, "ContentVersion", "VersionData", *types) == ("base64", "xsd:base64Binary", 0, 0, 0, 0)


def test_what_may_be_done_with_a_field(api: Api) -> None:
    uses = ("createable", "updateable", "nillable", "defaultedOnCreate", "filterable", "groupable", "permissionable")
    assert shown(api, "Account", "Id", *uses) == (False, False, False, True, True, True, False)
    assert shown(api, "Account", "Name", *uses) == (True, True, False, False, True, True, False)
    assert shown(api, "Account", "Description", *uses) == (True, True, True, False, False, False, True)
    assert shown(api, "Order", "OrderNumber", *uses) == (False, False, True, True, True, True, False)
    assert shown(api, "Order", "TotalAmount", *uses) == (False, False, True, True, True, False, True)
    assert shown(api, "Contact", "HasOptedOutOfEmail", *uses) == (True, True, False, True, True, True, True)
    assert shown(api, "Account", "SF_Account_No__c", "externalId", "unique", "idLookup") == (True, True, True)


def test_a_picklist_lists_its_values(api: Api) -> None:
    values = field(api, "Case", "Priority")["picklistValues"]
    assert values[1] == {
        "active": True,
        "defaultValue": True,
        "label": "Medium",
        "validFor": None,
        "value": "Medium",
    }
    assert field(api, "Order", "Activation_Status__c")["restrictedPicklist"] is True
    assert field(api, "Opportunity", "CommodityType__c")["restrictedPicklist"] is False


def test_references_are_told_from_both_sides(api: Api) -> None:
    reference = field(api, "OrderItem", "OrderId")
    assert (reference["referenceTo"], reference["relationshipName"]) == (["Order"], "Order")
    assert field(api, "Task", "WhoId")["polymorphicForeignKey"] is True
    children = {(each["childSObject"], each["field"]): each for each in described(api, "Account")["childRelationships"]}
    contacts, orders = children["Contact", "AccountId"], children["Order", "AccountId"]
    assert (contacts["relationshipName"], contacts["cascadeDelete"], contacts["restrictedDelete"]) == (
        "Contacts",
        True,
        False,
    )
    assert (orders["relationshipName"], orders["cascadeDelete"], orders["restrictedDelete"]) == ("Orders", False, True)
    assert children["ContentVersion", "FirstPublishLocationId"]["relationshipName"] is None


def test_a_platform_event_is_described(api: Api) -> None:
    body = described(api, "OrderProvisionRequested__e")
    assert [each["name"] for each in body["fields"] if not each["custom"]] == [
        "ReplayId", "CreatedDate", "CreatedById", "EventUuid",
    ]  # fmt: skip
    assert body["urls"]["eventSchema"] == f"{BASE}/sobjects/OrderProvisionRequested__e/eventSchema"
    assert (body["queryable"], body["deletable"], body["recordTypeInfos"]) == (False, False, [])


def test_basic_information_has_the_description_and_recent_items(api: Api) -> None:
    body = api("GET", "sobjects/account").json()
    assert body["objectDescribe"]["name"] == "Account"
    assert body["recentItems"] == []


@pytest.mark.parametrize("path", ["sobjects", "sobjects/Account/describe"])
def test_a_describe_is_not_sent_twice(api: Api, path: str) -> None:
    first = api("GET", path)
    again = api("GET", path, headers={"If-Modified-Since": first.headers["last-modified"]})
    assert (again.status, again.body) == (304, b"")
    past = format_datetime(datetime.now(UTC) - timedelta(days=400), usegmt=True)
    assert api("GET", path, headers={"If-Modified-Since": past}).status == 200


@pytest.mark.parametrize("path", ["describe/layouts", "describe/compactLayouts", "listviews", "quickActions"])
def test_layouts_are_not_there(api: Api, path: str) -> None:
    error = api.error("GET", f"sobjects/Account/{path}")
    assert (error["status"], error["errorCode"]) == (404, "NOT_FOUND")
