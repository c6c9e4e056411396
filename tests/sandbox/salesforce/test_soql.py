"""SOQL: what is understood, what it means, and what is refused in Salesforce's words."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simple_salesforce import format_soql

from sandbox.salesforce.soql.select import select
from sandbox.world import World
from tests.sandbox.salesforce.conftest import Api, place


@pytest.fixture
def towns(api: Api) -> dict[str, str]:
    """Four accounts: name to id."""
    rows: list[dict[str, Any]] = [
        {"Name": "Aoba", "Phone": "1", "WH_Account__c": "10", "Internet_Eligibility__c": "x"},
        {"Name": "Bando", "Phone": "2", "WH_Account__c": "20"},
        {"Name": "chiba", "Phone": "3", "Internet_Eligibility__c": "X"},
        {"Name": "100%_d'Or\\", "Phone": "4"},
    ]
    return {row["Name"]: api.create("Account", **row) for row in rows}


MEANINGS = [
    ("Name = 'aoba'", "1"),
    ("Name != 'Aoba' AND Phone < '4'", "23"),
    ("Name <> 'Aoba' AND Phone <= '3'", "23"),
    ("Internet_Eligibility__c = 'x'", "13"),
    ("Internet_Eligibility__c != 'x'", "24"),
    ("WH_Account__c = null", "34"),
    ("WH_Account__c != NULL", "12"),
    ("Phone > '1' AND Phone >= '3'", "34"),
    ("(Phone = '1' OR Phone = '2') AND NOT Name = 'Aoba'", "2"),
    ("NOT (Phone = '1' OR Phone = '2')", "34"),
    ("Phone IN ('1', '3')", "13"),
    ("Phone NOT IN ('1','3')", "24"),
    ("WH_Account__c NOT IN ('10')", "234"),
    ("Name LIKE 'a%'", "1"),
    ("Name like '_hib_'", "3"),
    (r"Name LIKE '100\%\_%'", "4"),
    (r"Name LIKE '%\\'", "4"),
    (r"Name = '100%_d\'Or\\'", "4"),
    ("WH_Account__c LIKE '%'", "12"),
    ("IsDeleted = false", "1234"),
    ("CreatedDate = TODAY", "1234"),
    ("CreatedDate < TODAY", ""),
    ("CreatedDate >= LAST_N_DAYS:3 AND CreatedDate < NEXT_MONTH", "1234"),
    ("CreatedDate > 2020-01-01T00:00:00Z", "1234"),
    ("CreatedDate > 2090-01-01T09:00:00%2B09:00", ""),
    ("Owner.Username = 'portal.integration@sonixnet.example'", "1234"),
    ("Id IN (SELECT AccountId FROM Contact)", ""),
    ("Id NOT IN (SELECT AccountId FROM Contact)", "1234"),
]


@pytest.mark.parametrize(("where", "phones"), MEANINGS)
@pytest.mark.usefixtures("towns")
def test_conditions(api: Api, where: str, phones: str) -> None:
    soql = (
        f"SELECT Phone FROM Account WHERE Phone IN ('1','2','3','4') AND ({where.replace('%2B', '+')}) ORDER BY Phone"
    )
    assert "".join(row["Phone"] for row in api.query(soql)) == phones


REFUSALS = [
    ("", "MALFORMED_QUERY", "SOQL statement is required"),
    ("SELECT Id FROM", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
    ("DELETE FROM Order", "MALFORMED_QUERY", "unexpected token: 'DELETE'"),
    ("SELECT Id FROM Order WHERE Name='a' AND Name='b' OR Name='c'", "MALFORMED_QUERY", "unexpected token: 'OR'"),
    ("SELECT Id FROM Order GROUP BY Id", "MALFORMED_QUERY", "unexpected token: 'GROUP'"),
    ("SELECT COUNT(Id) FROM Order", "MALFORMED_QUERY", "unexpected token: 'Id'"),
    ("SELECT Id FROM Order WHERE Id IN ()", "MALFORMED_QUERY", "unexpected token: ')'"),
    ("SELECT Id FROM Order FOR UPDATE", "MALFORMED_QUERY", "unexpected token: 'FOR'"),
    ("SELECT Id FROM Order WHERE Name = 'open", "MALFORMED_QUERY", "no viable alternative at character '''"),
    ("SELECT Id FROM Order; DROP", "MALFORMED_QUERY", "no viable alternative at character ';'"),
    (r"SELECT Id FROM Order WHERE Name = 'a\q'", "MALFORMED_QUERY", "Illegal escape sequence"),
    ("SELECT Id, Id FROM Order", "MALFORMED_QUERY", "duplicate field selected: Id"),
    ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported"),
    ("SELECT Id FROM OrderProvisionRequested__e", "INVALID_TYPE", "is not supported"),
    ("SELECT Nope__c FROM Order", "INVALID_FIELD", "No such column 'Nope__c' on entity 'Order'"),
    ("SELECT Nobody.Name FROM Order", "INVALID_FIELD", "Didn't understand relationship 'Nobody' in field path"),
    ("SELECT (SELECT Id FROM Nobodies) FROM Order", "INVALID_TYPE", "Didn't understand relationship 'Nobodies'"),
    ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD", "must be of type string and should be enclosed in"),
    ("SELECT Id FROM Order WHERE WHMCS_Order_Id__c = '5'", "INVALID_FIELD", "must be of type double and should not be"),
    ("SELECT Id FROM Order WHERE EffectiveDate = '2026-01-01'", "INVALID_FIELD", "of type date and should not be"),
    ("SELECT Id FROM Order WHERE EffectiveDate = 2026-13-01", "INVALID_FIELD", "of type date and should not be"),
    ("SELECT Id FROM Order WHERE CreatedDate = 2026-01-01", "INVALID_FIELD", "of type dateTime and should not be"),
    ("SELECT Id FROM Product2 WHERE IsActive = 'true'", "INVALID_FIELD", "of type boolean and should not be"),
    ("SELECT Id FROM Order WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
    ("SELECT Id FROM Order WHERE Id > '8015j0000000001AAA'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id"),
    ("SELECT Id FROM Order WHERE TotalAmount LIKE '1%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator on number"),
    ("SELECT Id FROM Order WHERE Activation_Error__c = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
    ("SELECT Id FROM Order ORDER BY Activation_Error__c", "INVALID_FIELD", "can not be sorted in a query call"),
    ("SELECT Id FROM Order LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    ("SELECT Id FROM Order WHERE Id IN (SELECT Status FROM Order)", "MALFORMED_QUERY", "semi join sub-selects"),
]


@pytest.mark.parametrize(("soql", "code", "words"), REFUSALS)
def test_refusals(api: Api, soql: str, code: str, words: str) -> None:
    error = api.error("GET", f"query?q={quote(soql)}")
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]


def test_a_refusal_points_at_the_place(api: Api) -> None:
    error = api.error("GET", f"query/?q={quote('SELECT Id, Nope FROM Account')}")
    assert error["message"].startswith(
        "\nSELECT Id, Nope FROM Account\n           ^\nERROR at Row:1:Column:12\nNo such"
    )


def test_parents_and_children_nest(api: Api, maria: str, order: str) -> None:
    row = api.one(
        "select id, account.name, ACCOUNT.Owner.Username, Opportunity.Name,"
        " (SELECT Product2.StockKeepingUnit, Quantity FROM OrderItems WHERE Quantity > 0), (SELECT Id FROM Nope)"
        " FROM order".replace(", (SELECT Id FROM Nope)", "")
        + f" WHERE Id = '{order}'"
    )
    assert row["attributes"] == {"type": "Order", "url": f"/services/data/v66.0/sobjects/Order/{order}"}
    assert row["Account"]["Name"] == "Santos Maria"
    assert row["Account"]["attributes"]["url"].endswith(maria)
    assert row["Account"]["Owner"]["Username"] == "carol.suzuki@sonixnet.example"
    assert row["Opportunity"] is None
    assert row["OrderItems"]["totalSize"] == 1
    assert row["OrderItems"]["done"] is True
    (item,) = row["OrderItems"]["records"]
    assert item["Product2"]["StockKeepingUnit"] == "INT-APT-1G"
    assert (item["Quantity"], type(item["Quantity"])) == (1.0, float)


def test_a_parent_without_children_has_null(api: Api, maria: str) -> None:
    assert api.one(f"SELECT (SELECT Id FROM Orders) FROM Account WHERE Id = '{maria}'")["Orders"] is None


def test_children_are_ordered_and_limited_each_on_its_own(api: Api, maria: str) -> None:
    for ref in ("a", "b", "c"):
        place(api, maria, ref=ref)
    soql = "SELECT (SELECT Portal_Ref__c FROM Orders ORDER BY Portal_Ref__c DESC LIMIT 2) FROM Account"
    row = api.one(f"{soql} WHERE Id = '{maria}'")
    assert [each["Portal_Ref__c"] for each in row["Orders"]["records"]] == ["c", "b"]


ORDERS = [
    ("WH_Account__c", "3412"),
    ("WH_Account__c ASC NULLS LAST, Phone DESC", "1243"),
    ("WH_Account__c DESC", "3421"),
    ("WH_Account__c DESC NULLS LAST", "2134"),
    ("Owner.Name, Name DESC", "3214"),
]


@pytest.mark.parametrize(("order_by", "phones"), ORDERS)
@pytest.mark.usefixtures("towns")
def test_order(api: Api, order_by: str, phones: str) -> None:
    soql = f"SELECT Phone FROM Account WHERE Phone IN ('1','2','3','4') ORDER BY {order_by}"
    assert "".join(row["Phone"] for row in api.query(soql)) == phones


@pytest.mark.usefixtures("towns")
def test_limit_offset_and_count(api: Api) -> None:
    soql = "SELECT Phone FROM Account WHERE Phone IN ('1','2','3','4') ORDER BY Phone LIMIT 2 OFFSET 1"
    assert [row["Phone"] for row in api.query(soql)] == ["2", "3"]
    count = api("GET", "query?q=SELECT+count()+FROM+Account+WHERE+Phone+IN+('1','2')").json()
    assert count == {"totalSize": 2, "done": True, "records": []}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t'\\\"%_"), min_size=1
    )
)
def test_any_text_survives_quoting_by_a_real_client(world: World, text: str) -> None:
    name = text.strip()[:255] or "x"
    account = world.org.create("Account", {"Name": name}, world.org.user_named("carol.suzuki@sonixnet.example"))
    for soql in (
        format_soql("SELECT Id FROM Account WHERE Name = {}", name),
        format_soql("SELECT Id FROM Account WHERE Name IN {}", [name, "other"]),
        format_soql("SELECT Id FROM Account WHERE Name LIKE '{:like}'", name),
    ):
        assert account in [row["Id"] for row in select(world.org, soql).records(world.org)]


def test_long_results_come_in_pages(api: Api, world: World, carol: str) -> None:
    with world.org.store.transaction():
        for number in range(450):
            world.org.create("Account", {"Name": f"Page {number:03d}"}, carol)
    soql = quote("SELECT Name FROM Account WHERE Name LIKE 'Page %' ORDER BY Name")
    page = api("GET", f"query?q={soql}", headers={"Sforce-Query-Options": "batchSize=200"}).json()
    names = [row["Name"] for row in page["records"]]
    while not page["done"]:
        assert page["totalSize"] == 450
        page = api("GET", page["nextRecordsUrl"], headers={"Sforce-Query-Options": "batchSize=200"}).json()
        names += [row["Name"] for row in page["records"]]
    assert names == [f"Page {number:03d}" for number in range(450)]


def test_a_page_is_kept_for_two_days(api: Api, world: World, carol: str) -> None:
    with world.org.store.transaction():
        for number in range(201):
            world.org.create("Account", {"Name": f"Page {number:03d}"}, carol)
    page = api("GET", "query?q=SELECT+Id+FROM+Account", headers={"Sforce-Query-Options": "batchSize=1"}).json()
    world.clock.advance(timedelta(days=2, minutes=1))
    api.token = world.org.sessions.open(carol).token
    assert api.error("GET", page["nextRecordsUrl"])["errorCode"] == "INVALID_QUERY_LOCATOR"
    assert api.error("GET", "query/01gNOTHING-200")["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_query_all_sees_the_bin(api: Api, towns: dict[str, str]) -> None:
    assert api("DELETE", f"sobjects/Account/{towns['Aoba']}").status == 204
    soql = quote("SELECT Id, IsDeleted FROM Account WHERE Phone = '1'")
    assert api("GET", f"query?q={soql}").json()["records"] == []
    (gone,) = api("GET", f"queryAll?q={soql}").json()["records"]
    assert gone["IsDeleted"] is True


def test_relative_dates_begin_at_midnight_in_japan(api: Api, world: World, carol: str) -> None:
    # 15:30 UTC is half past midnight of the next day in Tokyo.
    now = datetime.now(UTC)
    target = now.replace(hour=15, minute=30, second=0) + timedelta(days=1)
    world.clock.advance(target - now)
    api.token = world.org.sessions.open(carol).token
    account = api.create(
        "Account", Name="Night owl", Internet_Eligibility_Request_Date_Time__c=f"{target:%Y-%m-%d}T14:59:59Z"
    )
    soql = "SELECT Id FROM Account WHERE Internet_Eligibility_Request_Date_Time__c = {} AND Name = 'Night owl'"
    assert [row["Id"] for row in api.query(soql.format("YESTERDAY"))] == [account]
    assert api.query(soql.format("TODAY")) == []
