"""SOQL: what conditions mean, what is shown of a record, and in which order."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from simple_salesforce import format_soql

from sandbox.salesforce.soql.select import select
from sandbox.salesforce.soql.source import Living
from tests.sandbox.salesforce.conftest import Api, place
from tests.sandbox.salesforce.soql_world import opened

TOWNS: list[dict[str, Any]] = [
    {"Name": "Aoba", "Phone": "1", "WH_Account__c": "10", "Internet_Eligibility__c": "x", "Type": "Partner"},
    {"Name": "Bando", "Phone": "2", "WH_Account__c": "20", "Type": "Customer", "Portal_Ref__c": "P-1"},
    {"Name": "chiba", "Phone": "3", "Internet_Eligibility__c": "X", "Type": "Other"},
    {"Name": "100%_d'Or\\", "Phone": "4"},
]


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    """Four accounts, of which Chiba belongs to Aoba; Bando's contact is Sato and Chiba's is Ito."""
    with opened(tmp_path_factory.mktemp("towns"), key_material) as api:
        made = {row["Name"]: api.create("Account", **row) for row in TOWNS}
        api.update("Account", made["chiba"], ParentId=made["Aoba"])
        api.create("Contact", AccountId=made["Bando"], LastName="Sato", Email="sato@example.jp")
        api.create("Contact", AccountId=made["chiba"], LastName="Ito", Email="ito@example.jp")
        yield api


def phones(api: Api, rest: str) -> str:
    soql = f"SELECT Phone FROM Account WHERE Phone IN ('1','2','3','4') {rest}"
    return "".join(row["Phone"] for row in api.query(soql))


MEANINGS = [
    ("Name = 'aoba'", "1"),
    ("Name != 'Aoba' AND Phone < '4'", "23"),
    ("Name <> 'Aoba' AND Phone <= '3'", "23"),
    ("Internet_Eligibility__c = 'x'", "13"),
    ("Internet_Eligibility__c != 'x'", "24"),
    ("WH_Account__c = null", "34"),
    ("WH_Account__c != NULL", "12"),
    ("WH_Account__c = ''", "34"),
    ("Phone > '1' AND Phone >= '3'", "34"),
    ("WH_Account__c > null", ""),
    ("(Phone = '1' OR Phone = '2') AND NOT Name = 'Aoba'", "2"),
    ("NOT (Phone = '1' OR Phone = '2')", "34"),
    ("NOT WH_Account__c > '15'", "134"),
    ("Phone IN ('1', '3')", "13"),
    ("Phone NOT IN ('1','3')", "24"),
    ("WH_Account__c IN (null, '20')", "234"),
    ("WH_Account__c NOT IN ('10')", "234"),
    ("Name LIKE 'a%'", "1"),
    ("Name like '_hib_'", "3"),
    ("Name LIKE '%A%'", "123"),
    ("Name LIKE '%b%a%'", "123"),
    (r"Name LIKE '100\%\_%'", "4"),
    (r"Name LIKE '%\\'", "4"),
    (r"Name = '100%_d\'Or\\'", "4"),
    ("WH_Account__c LIKE '%'", "12"),
    ("NOT Name LIKE '%o%'", "3"),
    ("toLabel(Type) = 'partner'", "1"),
    ("IsDeleted = false", "1234"),
    ("IsDeleted != true", "1234"),
    ("CreatedDate > 2020-01-01T00:00:00Z", "1234"),
    ("CreatedDate > 2020-01-01t09:00:00z", "1234"),
    ("CreatedDate > 2090-01-01T09:00:00+09:00", ""),
    ("Owner.Username = 'portal.integration@sonixnet.example'", "1234"),
    ("Account.Owner.IsActive = true", "1234"),
    ("Parent.Name = 'AOBA'", "3"),
    ("Parent.Name = null", "124"),
    ("Parent.Name != 'Aoba'", "124"),
    ("Parent.IsDeleted = false", "1234"),
    ("Name IN ('aoba', null)", "1"),
    ("Name = 'Aoba' OR Phone = '2'", "12"),
    ("Name = 'AOBA' OR Portal_Ref__c = 'p-1'", "12"),
    ("Name = 'AOBA' OR Phone LIKE '2'", "12"),
    ("IsDeleted = null", "1234"),
    ("Portal_Ref__c IN (null, 'P-1')", "1234"),
    ("Portal_Ref__c NOT IN ('P-1')", "134"),
    ("Portal_Ref__c != 'P-1'", "134"),
    ("SystemModstamp = LAST_N_DAYS:1", "1234"),
    ("SystemModstamp != LAST_N_DAYS:1", ""),
    ("SystemModstamp <= TODAY", "1234"),
    ("SystemModstamp < LAST_N_DAYS:1", ""),
    ("SystemModstamp > YESTERDAY", "1234"),
    ("SystemModstamp >= TOMORROW", ""),
    ("Internet_Eligibility_Request_Date_Time__c = TODAY", ""),
    ("Internet_Eligibility_Request_Date_Time__c != TODAY", "1234"),
    ("Id IN (SELECT AccountId FROM Contact)", "23"),
    ("Id IN (SELECT AccountId FROM Contact WHERE LastName LIKE 'S%') AND Phone = '2'", "2"),
    ("Id NOT IN (SELECT AccountId FROM Contact)", "14"),
]


@pytest.mark.parametrize(("where", "expected"), MEANINGS)
def test_conditions(towns: Api, where: str, expected: str) -> None:
    assert (
        phones(towns, f"AND ({where}) ORDER BY Phone" if " IN (SELECT" not in where else f"AND {where} ORDER BY Phone")
        == expected
    )


def test_the_ends_of_a_stretch_of_time(towns: Api) -> None:
    (row,) = towns.query("SELECT SystemModstamp FROM Account WHERE Phone = '3'")
    moment = row["SystemModstamp"].replace("+0000", "Z")
    found = {
        sign: phones(towns, f"AND SystemModstamp {sign} {moment} AND Phone = '3'")
        for sign in ("=", "!=", "<", "<=", ">", ">=")
    }
    assert found == {"=": "3", "!=": "", "<": "", "<=": "3", ">": "", ">=": "3"}


def test_an_index_two_relationships_away(towns: Api) -> None:
    assert towns.one("SELECT LastName FROM Contact WHERE Account.Parent.Name = 'aoba'")["LastName"] == "Ito"


def test_without_an_order_the_oldest_comes_first(towns: Api) -> None:
    assert phones(towns, "AND Name IN ('chiba', 'Bando', 'Aoba')") == "123"
    assert phones(towns, "AND (Name = 'chiba' OR Portal_Ref__c = 'P-1')") == "23"


ORDERS = [
    ("WH_Account__c, Phone", "3412"),
    ("WH_Account__c ASC NULLS LAST, Phone DESC", "1243"),
    ("WH_Account__c DESC, Phone", "3421"),
    ("WH_Account__c DESC NULLS LAST, Phone", "2134"),
    ("Owner.Name, Name DESC", "3214"),
    ("Parent.Name NULLS LAST, Phone", "3124"),
    ("Type NULLS LAST", "2134"),
]


@pytest.mark.parametrize(("order_by", "expected"), ORDERS)
def test_order(towns: Api, order_by: str, expected: str) -> None:
    assert phones(towns, f"ORDER BY {order_by}") == expected


def test_limit_offset_and_count(towns: Api) -> None:
    assert phones(towns, "ORDER BY Phone LIMIT 2 OFFSET 1") == "23"
    assert phones(towns, "LIMIT 0") == ""
    soql = "SELECT count() FROM Account WHERE Phone IN ('1','2','3')"
    for text, size in ((soql, 3), (f"{soql} LIMIT 2", 2)):
        counted = towns("GET", f"query?q={quote(text)}").json()
        assert counted == {"totalSize": size, "done": True, "records": []}


def test_aliases_of_types(towns: Api) -> None:
    soql = "SELECT c.LastName, c.Account.Name FROM Contact c, c.Account a WHERE a.Phone = '2' AND c.Email LIKE 'sato%'"
    row = towns.one(soql)
    assert (row["LastName"], row["Account"]["Name"]) == ("Sato", "Bando")


def test_the_scope_mine_is_what_the_asking_user_owns(towns: Api) -> None:
    def mine(username: str) -> set[str]:
        source = Living(towns.world.org, towns.world.org.user_named(username))
        found = select(source, "SELECT Id FROM Account USING SCOPE mine").matching
        everything = towns.world.org.table("Account").all()
        assert list(found.records(everything)) == list(found.records())
        return {str(each["OwnerId"]) for each in found.records()}

    for username in ("carol.suzuki@sonixnet.example", "portal.integration@sonixnet.example"):
        assert mine(username) == {towns.world.org.user_named(username)}
    assert len(towns.query("SELECT Id FROM Account USING SCOPE everything")) == 7


@settings(max_examples=60, deadline=None)
@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\r\t'\\\"%_"), min_size=1
    )
)
def test_any_text_survives_quoting_by_a_real_client(towns: Api, text: str) -> None:
    org = towns.world.org
    carol = org.user_named("carol.suzuki@sonixnet.example")
    name = text.strip()[:255] or "x"
    contact = org.create("Contact", {"LastName": name[:80]}, carol)
    source = Living(org, carol)
    for soql in (
        format_soql("SELECT Id FROM Contact WHERE LastName = {}", name[:80]),
        format_soql("SELECT Id FROM Contact WHERE LastName IN {}", [name[:80], "other"]),
        format_soql("SELECT Id FROM Contact WHERE LastName LIKE '{:like}'", name[:80]),
    ):
        assert contact in select(source, soql).ids()  # type: ignore[union-attr]


def test_parents_and_children_nest(api: Api, maria: str, order: str) -> None:
    row = api.one(
        "select id, account.name, ACCOUNT.Owner.Username, Opportunity.Name,"
        " (SELECT Product2.StockKeepingUnit, Quantity FROM OrderItems WHERE Quantity > 0)"
        f" FROM order WHERE Id = '{order[:15]}'"
    )
    assert row["attributes"] == {"type": "Order", "url": f"/services/data/v66.0/sobjects/Order/{order}"}
    assert row["Account"]["Name"] == "Santos Maria"
    assert row["Account"]["attributes"]["url"].endswith(maria)
    assert row["Account"]["Owner"]["Username"] == "carol.suzuki@sonixnet.example"
    assert row["Opportunity"] is None
    assert (row["OrderItems"]["totalSize"], row["OrderItems"]["done"]) == (1, True)
    (item,) = row["OrderItems"]["records"]
    assert item["Product2"]["StockKeepingUnit"] == "INT-APT-1G"
    assert (item["Quantity"], type(item["Quantity"])) == (1.0, float)


def test_a_parent_without_children_has_null(api: Api, maria: str) -> None:
    assert api.one(f"SELECT (SELECT Id FROM Orders) FROM Account WHERE Id = '{maria}'")["Orders"] is None


def test_children_have_children(api: Api, maria: str) -> None:
    first, second = place(api, maria, ref="a"), place(api, maria, ref="b", sku="INT-APT-10G")
    row = api.one(
        "SELECT (SELECT Portal_Ref__c, (SELECT Id, OrderId FROM OrderItems) FROM Orders"
        f" WHERE Portal_Ref__c != null ORDER BY Portal_Ref__c DESC LIMIT 2) FROM Account WHERE Id = '{maria}'"
    )
    orders = row["Orders"]["records"]
    assert [each["Portal_Ref__c"] for each in orders] == ["b", "a"]
    assert [each["OrderItems"]["records"][0]["OrderId"] for each in orders] == [second, first]


def test_a_parent_of_any_type(api: Api, maria: str, order: str) -> None:
    files = {}
    for owner, title in ((maria, "paper of Maria"), (order, "paper of an order")):
        data = {"Title": title, "PathOnClient": "a.txt", "VersionData": "YQ==", "FirstPublishLocationId": owner}
        version = api.create("ContentVersion", **data)
        files[owner] = api.one(f"SELECT ContentDocumentId FROM ContentVersion WHERE Id = '{version}'")[
            "ContentDocumentId"
        ]
    links = (
        "SELECT LinkedEntity.Name, LinkedEntity.Type, {} FROM ContentDocumentLink"
        f" WHERE ContentDocumentId IN ('{files[maria]}', '{files[order]}')"
        " AND LinkedEntity.Type IN ('Account', 'Order')"
        " ORDER BY LinkedEntity.Type"
    )
    names = [each["LinkedEntity"] for each in api.query(links.format("Id"))]
    number = api.one(f"SELECT OrderNumber FROM Order WHERE Id = '{order}'")["OrderNumber"]
    assert [(each["Name"], each["Type"]) for each in names] == [("Santos Maria", "Account"), (number, "Order")]
    assert names[0]["attributes"] == {"type": "Name", "url": f"/services/data/v66.0/sobjects/Account/{maria}"}
    typed = links.replace(
        "LinkedEntity.Name, LinkedEntity.Type, {}",
        "TYPEOF LinkedEntity WHEN Account THEN SF_Account_No__c, Name ELSE Id END",
    )
    account, ordered = (each["LinkedEntity"] for each in api.query(typed))
    assert (account["SF_Account_No__c"], account["Name"]) == ("104882", "Santos Maria")
    assert ordered["Id"] == order


def test_all_fields_at_once(api: Api) -> None:
    everything = api.query("SELECT FIELDS(ALL) FROM Account LIMIT 200")[0].keys()
    standard = api.query("SELECT FIELDS(STANDARD) FROM Account")[0].keys()
    custom = api.query("SELECT fields(custom), Id FROM Account LIMIT 1")[0].keys()
    assert everything == standard | custom
    assert standard & custom == {"attributes", "Id"}
    assert "Portal_Ref__c" in custom


def test_labels_have_a_column_of_their_own(towns: Api) -> None:
    row = towns.one("SELECT Type, toLabel(Type) TypeLabel FROM Account WHERE Phone = '1'")
    assert (row["Type"], row["TypeLabel"]) == ("Partner", "Partner")


def test_query_all_sees_the_bin(api: Api, maria: str) -> None:
    contact = api.create("Contact", AccountId=maria, LastName="Gone", Email="gone@example.jp")
    assert api("DELETE", f"sobjects/Contact/{contact}").status == 204
    for where in (f"Id = '{contact}'", "Email = 'GONE@example.jp'", "IsDeleted = true"):
        soql = quote(f"SELECT Id, IsDeleted, Account.Name FROM Contact WHERE {where}")
        assert api("GET", f"query?q={soql}").json()["records"] == []
        (gone,) = api("GET", f"queryAll?q={soql}").json()["records"]
        assert (gone["Id"], gone["IsDeleted"], gone["Account"]["Name"]) == (contact, True, "Santos Maria")
    alive = quote("SELECT COUNT() FROM Contact")
    assert (
        api("GET", f"queryAll?q={alive}").json()["totalSize"] == api("GET", f"query?q={alive}").json()["totalSize"] + 1
    )


def test_a_query_can_be_explained(api: Api, maria: str) -> None:
    explained = api("GET", f"query?explain={quote(f'''SELECT Id FROM Contact WHERE AccountId = '{maria}' ''')}").json()
    index, scan = explained["plans"]
    assert (index["leadingOperationType"], index["fields"], index["cardinality"]) == ("Index", ["AccountId"], 1)
    assert (scan["leadingOperationType"], scan["cardinality"], scan["sobjectType"]) == ("TableScan", 3, "Contact")
    (only,) = api("GET", f"query?explain={quote('SELECT Id FROM Contact WHERE Title = null')}").json()["plans"]
    assert only["leadingOperationType"] == "TableScan"
    assert api.error("GET", "query?explain=nothing")["errorCode"] == "MALFORMED_QUERY"
