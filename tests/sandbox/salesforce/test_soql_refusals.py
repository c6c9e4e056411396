"""SOQL that is refused, in the platform's words, pointing at the place."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.sandbox.salesforce.conftest import Api
from tests.sandbox.salesforce.soql_world import opened

IF_CUSTOM = "If you are attempting to use a custom"
CLOSE = "Please reference your WSDL or the describe call for the appropriate names."


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory, key_material: Path) -> Iterator[Api]:
    with opened(tmp_path_factory.mktemp("org"), key_material) as api:
        yield api


SYNTAX = [
    ("", "SOQL statements cannot be empty or null"),
    ("  ", "SOQL statements cannot be empty or null"),
    ("SELECT Id FROM", "unexpected token: '<EOF>'"),
    ("SELECT FROM Order", "unexpected token: 'SELECT FROM'"),
    ("SELECT * FROM Order", "unexpected token: 'SELECT *'"),
    ("SELECT Id, FROM Order", "unexpected token: 'FROM'"),
    ("DELETE FROM Order", "unexpected token: 'DELETE'"),
    ("SELECT Id FROM Order WHERE Name='a' AND Name='b' OR Name='c'", "unexpected token: 'OR'"),
    ("SELECT Id FROM Order HAVING COUNT(Id) > 1", "unexpected token: 'HAVING'"),
    ("SELECT Id FROM Order GROUP BY ROLLUP(Status)", "unexpected token: 'ROLLUP'"),
    ("SELECT SUM() FROM Order", "unexpected token: 'SUM()'"),
    ("SELECT Id, COUNT() FROM Order", "unexpected token: 'COUNT()'"),
    ("SELECT Id FROM Order WHERE Id IN ()", "unexpected token: 'Id IN ()'"),
    ("SELECT Id FROM Order WHERE Id NOT IN ( )", "unexpected token: 'Id NOT IN ( )'"),
    ("SELECT Id FROM Order WHERE Name = 'open", "line 1:34 unexpected token: ''open'"),
    ("SELECT Id FROM Order; DROP", "line 1:20 unexpected token: ';'"),
    ('SELECT Id FROM Order WHERE Name = "x"', "line 1:34 unexpected token: '\"'"),
    ("SELECT Id FROM Order WHERE Name = Yesteryear", "unexpected token: 'Yesteryear'"),
    ("SELECT Id FROM Order WHERE CreatedDate = LAST_N_DAYS", "unexpected token: 'LAST_N_DAYS'"),
    ("SELECT Id FROM Order WHERE CreatedDate = TODAY:3", "unexpected token: 'TODAY:3'"),
    ("SELECT Id FROM Order WHERE Name LIKE null", "unexpected token: 'null'"),
    ("SELECT Id FROM Order LIMIT -1", "unexpected token: '-1'"),
    ("SELECT Id FROM Order LIMIT 99999999999", "unexpected token: '99999999999'"),
    ("SELECT FORMAT(CreatedDate) FROM Order", "unexpected token: 'FORMAT'"),
    ("SELECT a(b(c(Id))) FROM Order", "unexpected token: '('"),
    (
        "SELECT Id FROM Order WHERE CreatedDate > 2020-12-12t12:12:00-25:00",
        "Invalid datetime: 2020-12-12t12:12:00-25:00",
    ),
    ("SELECT Id FROM Order WHERE EffectiveDate = 2026-13-01", "Invalid date: 2026-13-01"),
    ("SELECT Id FROM Order WHERE Name = :name", "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Order WHERE Id IN :ids", "Bind variables only allowed in Apex code"),
    ("SELECT Id FROM Order FOR UPDATE", "FOR UPDATE not allowed in this context"),
    ("SELECT Id FROM Order ALL  ROWS", "ALL ROWS not allowed in this context"),
    ("SELECT Id FROM Order WITH SECURITY_ENFORCED", "rule soqlWithIdentifierClause failed predicate"),
    ("SELECT Id FROM Order WITH USER_MODE LIMIT 1", "rule soqlWithIdentifierClause failed predicate"),
    (r"SELECT Id FROM Order WHERE Name = 'a\q'", r"Illegal character sequence '\q' in string literal."),
    ("SELECT Id, Id FROM Order", "duplicate field selected: Id"),
    ("SELECT Account.Name, account.name FROM Order", "duplicate field selected: Name"),
    ("SELECT Id Name FROM Order", "only aggregate expressions use field aliasing"),
    ("SELECT FIELDS(ALL) FROM Order", "The SOQL FIELDS function must have a LIMIT of at most 200"),
    ("SELECT FIELDS(CUSTOM) FROM Order LIMIT 201", "The SOQL FIELDS function must have a LIMIT of at most 200"),
    (
        "SELECT FIELDS(SOME) FROM Order",
        "only supports arguments of (all), (custom), (standard); (SOME) is not supported.",
    ),
    (
        "SELECT Id FROM Order ORDER BY Activation_Error__c",
        "field 'Activation_Error__c' can not be sorted in a query call",
    ),
    ("SELECT CALENDAR_YEAR(CreatedDate) FROM Order", "Field must be grouped or aggregated: CALENDAR_YEAR(CreatedDate)"),
    ("SELECT TYPEOF Account WHEN Account THEN Id END FROM Order", "TYPEOF operand 'Account' is not a polymorphic"),
    ("SELECT COUNT() FROM Order ORDER BY Name", "Ordered field must be grouped or aggregated: Name"),
    ("SELECT (SELECT COUNT(Id) FROM Orders) FROM Account", "only root queries support aggregate expressions"),
    (
        "SELECT Id FROM ContentDocumentLink",
        "Implementation restriction: ContentDocumentLink requires a filter by a single Id",
    ),
    (
        "SELECT Id FROM ContentDocumentLink WHERE ShareType = 'V'",
        "requires a filter by a single Id on ContentDocumentId",
    ),
]


@pytest.mark.parametrize(("soql", "words"), SYNTAX)
def test_malformed(org: Api, soql: str, words: str) -> None:
    error = org.error("GET", f"query?q={quote(soql)}")
    assert (error["status"], error["errorCode"]) == (400, "MALFORMED_QUERY")
    assert words in error["message"]


JOINS = [
    ("Name IN (SELECT Id FROM Contact)", "should be an id field, cannot use: 'Name'"),
    (
        "Id IN (SELECT LastName FROM Contact)",
        "semi join sub-selects can only query id fields, cannot use: 'LastName'",
    ),
    ("Id IN (SELECT Id FROM Account)", "The inner and outer selects should not be on the same object type"),
    ("Id IN (SELECT Id FROM Contact)", "The selected field 'Id' in the subquery and the left operand field"),
    ("Id IN (SELECT Id, AccountId FROM Contact)", "must select exactly one field"),
    ("Id IN (SELECT AccountId FROM Contact LIMIT 5)", "missing value at 'LIMIT'"),
    ("Id IN (SELECT AccountId FROM Contact ORDER BY Name)", "missing value at 'ORDER'"),
    ("Name = 'x' OR Id IN (SELECT AccountId FROM Contact)", "not allowed with the 'OR' operator"),
    ("Name = 'x' AND (Phone = '1' OR Id IN (SELECT AccountId FROM Contact))", "only allowed at the top level WHERE"),
    ("NOT Id IN (SELECT AccountId FROM Contact)", "only allowed at the top level WHERE"),
    (
        "Id IN (SELECT AccountId FROM Contact WHERE AccountId IN (SELECT AccountId FROM Case))",
        "Nesting of semi join sub-selects is not supported",
    ),
    (
        " AND ".join(f"Id IN (SELECT AccountId FROM {each})" for each in ("Contact", "Case", "Order")),
        "Maximum 2 semi join sub-selects are allowed",
    ),
]


@pytest.mark.parametrize(("where", "words"), JOINS)
def test_inner_queries(org: Api, where: str, words: str) -> None:
    error = org.error("GET", f"query?q={quote(f'SELECT Id FROM Account WHERE {where}')}")
    assert (error["status"], error["errorCode"]) == (400, "MALFORMED_QUERY")
    assert words in error["message"]


OTHERS = [
    (
        "SELECT Id FROM Nothing",
        "INVALID_TYPE",
        f"sObject type 'Nothing' is not supported. {IF_CUSTOM} object, be sure to append the '__c' after the"
        f" entity name. {CLOSE}",
    ),
    (
        "SELECT Id FROM OrderProvisionRequested__e",
        "INVALID_TYPE",
        "sObject type 'OrderProvisionRequested__e' is not supported.",
    ),
    (
        "SELECT (SELECT Id FROM Nobodies) FROM Order",
        "INVALID_TYPE",
        "Didn't understand relationship 'Nobodies' in FROM part of query call.",
    ),
    (
        "SELECT Nope__c FROM Order",
        "INVALID_FIELD",
        f"No such column 'Nope__c' on entity 'Order'. {IF_CUSTOM} field, be sure to append the '__c' after the custom"
        f" field name. {CLOSE}",
    ),
    (
        "SELECT Nobody.Name FROM Order",
        "INVALID_FIELD",
        f"Didn't understand relationship 'Nobody' in field path. {IF_CUSTOM} relationship, be sure to append the '__r'"
        f" after the custom relationship name. {CLOSE}",
    ),
    (
        "SELECT LinkedEntity.Phone2 FROM ContentDocumentLink",
        "INVALID_FIELD",
        "No such column 'Phone2' on entity 'Name'.",
    ),
    (
        "SELECT Id FROM Account WHERE Name = 5",
        "INVALID_FIELD",
        "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Account WHERE Name = TODAY",
        "INVALID_FIELD",
        "value of filter criterion for field 'Name' must be of type string and should be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Order WHERE WHMCS_Order_Id__c = '5'",
        "INVALID_FIELD",
        "field 'WHMCS_Order_Id__c' must be of type double and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Order WHERE EffectiveDate = '2026-01-01'",
        "INVALID_FIELD",
        "must be of type date and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Order WHERE EffectiveDate = 2026-01-01T00:00:00Z",
        "INVALID_FIELD",
        "must be of type date and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Order WHERE CreatedDate = 2026-01-01",
        "INVALID_FIELD",
        "must be of type dateTime and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Product2 WHERE IsActive = 'true'",
        "INVALID_FIELD",
        "must be of type boolean and should not be enclosed in quotes",
    ),
    (
        "SELECT Id FROM Order WHERE Activation_Error__c = 'x'",
        "INVALID_FIELD",
        "field 'Activation_Error__c' can not be filtered in a query call",
    ),
    ("SELECT Id FROM Order WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: nonsense"),
    (
        "SELECT Id FROM Order WHERE Id = '801000000000001AAB'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid ID field: 801000000000001AAB",
    ),
    (
        "SELECT Id FROM Order WHERE Id > '8015j0000000001AAA'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on id field",
    ),
    (
        "SELECT Id FROM Order WHERE TotalAmount LIKE '1%'",
        "INVALID_QUERY_FILTER_OPERATOR",
        "invalid operator on number field",
    ),
    (
        "SELECT Id FROM Order WHERE Status INCLUDES ('Draft')",
        "INVALID_QUERY_FILTER_OPERATOR",
        "includes or excludes operator only valid on multipicklist field",
    ),
    ("SELECT Id FROM Order LIMIT 5 OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000"),
    ("SELECT Id FROM Order USING SCOPE theirs", "INVALID_QUERY_SCOPE", "The specified search scope is not valid"),
]


@pytest.mark.parametrize(("soql", "code", "words"), OTHERS)
def test_refusals(org: Api, soql: str, code: str, words: str) -> None:
    error = org.error("GET", f"query?q={quote(soql)}")
    assert (error["status"], error["errorCode"]) == (400, code)
    assert words in error["message"]


def test_a_refusal_shows_what_stands_around_the_place(org: Api) -> None:
    fields = "Id, OrderNumber, Portal_Correlation_Id__c, Nope, Provision_Request_No__c, Status"
    error = org.error("GET", f"query/?q={quote(f'SELECT {fields} FROM Order')}")
    lines = error["message"].split("\n")
    assert lines[:4] == [
        "",
        "OrderNumber, Portal_Correlation_Id__c, Nope, Provision_Request_No__c,",
        " " * 39 + "^",
        "ERROR at Row:1:Column:51",
    ]
    assert lines[4].startswith("No such column 'Nope'")


def test_the_parser_counts_columns_from_nought(org: Api) -> None:
    soql = "SELECT Id FROM Account LIMIT 5 WHERE Name = 'x'"
    error = org.error("GET", f"query/?q={quote(soql)}")
    assert error["message"] == f"\n{soql}\n{' ' * 30}^\nERROR at Row:1:Column:31\nunexpected token: 'WHERE'"


def test_the_row_of_several(org: Api) -> None:
    soql = "SELECT Id\nFROM Nothing__c\nLIMIT 5"
    error = org.error("GET", f"query?q={quote(soql)}")
    assert error["message"].startswith("\nFROM Nothing__c\n     ^\nERROR at Row:2:Column:6\nsObject type 'Nothing__c'")


def test_only_so_many_levels(org: Api) -> None:
    parents = ".".join(["Parent"] * 6)
    up = org.error("GET", f"query?q={quote(f'SELECT {parents}.Name FROM Account')}")
    assert "more than 5 levels away from the root entity object" in up["message"]
    assert org("GET", f"query?q={quote(f'SELECT {parents[7:]}.Name FROM Account LIMIT 1')}").status == 200
    soql = "SELECT Id FROM ChildAccounts"
    for _ in range(4):
        soql = f"SELECT Id, ({soql}) FROM ChildAccounts"
    soql = soql.removesuffix("ChildAccounts") + "Account"
    assert org("GET", f"query?q={quote(soql)}").status == 200
    assert org.error("GET", f"/services/data/v57.0/query?q={quote(soql)}")["errorCode"] == "MALFORMED_QUERY"
    deeper = f"SELECT ({soql.removesuffix('Account')}ChildAccounts) FROM Account"
    assert "away from the root entity object." in org.error("GET", f"query?q={quote(deeper)}")["message"]


def test_what_an_old_version_does_not_know(org: Api) -> None:
    error = org.error("GET", f"/services/data/v50.0/query?q={quote('SELECT FIELDS(ALL) FROM Account LIMIT 1')}")
    assert error["errorCode"] == "UNSUPPORTED_API_VERSION"
    assert error["message"].endswith("Column:8\nThe SOQL FIELDS function is not supported in this version of the API")


def test_no_query_at_all(org: Api) -> None:
    for path in ("query", "queryAll", "query/?p=SELECT"):
        error = org.error("GET", path)
        assert (error["errorCode"], error["message"]) == ("MALFORMED_QUERY", "A query string has to be specified")


@pytest.mark.parametrize("path", ["search?q=FIND+{Maria}", "parameterizedSearch?q=Maria"])
def test_search_is_not_there(org: Api, path: str) -> None:
    error = org.error("GET", path)
    assert (error["status"], error["errorCode"]) == (404, "NOT_FOUND")
