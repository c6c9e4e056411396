"""The platform's rules beside those of orders: opportunities, contracts, cases, tasks, names, deletions."""

from typing import Any

import pytest

from tests.sandbox.salesforce.conftest import Api, entry_of, place

DEAL = {"Name": "SIM – Maria", "StageName": "Introduction", "CloseDate": "2026-12-21"}


def row(api: Api, kind: str, record_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api("GET", f"sobjects/{kind}/{record_id}").json()
    return found


def test_the_forecast_follows_the_stage(api: Api) -> None:
    deal = api.create("Opportunity", **DEAL, Amount=1000)
    shown = row(api, "Opportunity", deal)
    assert (shown["Probability"], shown["ExpectedRevenue"], shown["ForecastCategoryName"]) == (10.0, 100.0, "Pipeline")
    api.update("Opportunity", deal, StageName="Post Processing", Probability=80)
    shown = row(api, "Opportunity", deal)
    assert (shown["Probability"], shown["ExpectedRevenue"], shown["ForecastCategory"]) == (80.0, 800.0, "Forecast")
    api.update("Opportunity", deal, StageName="△Cancelled")
    shown = row(api, "Opportunity", deal)
    assert (shown["IsClosed"], shown["IsWon"], shown["Probability"], shown["ExpectedRevenue"]) == (
        True,
        False,
        0.0,
        0.0,
    )


def test_products_of_an_opportunity(api: Api) -> None:
    deal = api.create("Opportunity", **DEAL)
    entry = entry_of(api, "ADD-PHONE")
    line = api.create("OpportunityLineItem", OpportunityId=deal, PricebookEntryId=entry, Quantity=2, UnitPrice=550)
    shown = row(api, "OpportunityLineItem", line)
    assert (shown["TotalPrice"], shown["ListPrice"], shown["CurrencyIsoCode"]) == (1100.0, 550.0, "JPY")
    total = row(api, "Opportunity", deal)
    assert (total["Amount"], total["ExpectedRevenue"], total["HasOpportunityLineItem"]) == (1100.0, 110.0, True)
    assert total["Pricebook2Id"] == row(api, "PricebookEntry", entry)["Pricebook2Id"]
    foreign = entry_of(api, "ADD-PHONE", "Standard Price Book")
    more = {"OpportunityId": deal, "PricebookEntryId": foreign, "Quantity": 1, "UnitPrice": 1}
    assert "different pricebook" in api.error("POST", "sobjects/OpportunityLineItem", more)["message"]
    api("DELETE", f"sobjects/OpportunityLineItem/{line}")
    assert row(api, "Opportunity", deal)["HasOpportunityLineItem"] is False


def test_a_contract_ends_with_its_term(api: Api, maria: str) -> None:
    contract = api.create("Contract", AccountId=maria, StartDate="2026-01-31", ContractTerm=1)
    assert row(api, "Contract", contract)["EndDate"] == "2026-02-27"
    assert row(api, "Contract", contract)["ContractNumber"] == "00000100"
    api.update("Contract", contract, ContractTerm=None)
    assert row(api, "Contract", contract)["EndDate"] is None


def test_an_order_keeps_to_the_contracts_account(api: Api, maria: str, order: str) -> None:
    other = api.create("Contract", AccountId=api.create("Account", Name="Other"))
    error = api.error("PATCH", f"sobjects/Order/{order}", {"ContractId": other})
    assert (error["errorCode"], error["fields"]) == ("FIELD_INTEGRITY_EXCEPTION", ["ContractId"])
    api.update("Order", order, ContractId=api.create("Contract", AccountId=maria))


def test_the_currency_of_an_order_with_products_stays(api: Api, order: str) -> None:
    error = api.error("PATCH", f"sobjects/Order/{order}", {"CurrencyIsoCode": "USD"})
    assert (error["errorCode"], error["fields"]) == ("FIELD_INTEGRITY_EXCEPTION", ["CurrencyIsoCode"])


def test_an_order_ends_after_it_starts(api: Api, order: str) -> None:
    error = api.error("PATCH", f"sobjects/Order/{order}", {"EndDate": "2026-11-20"})
    assert (error["errorCode"], error["fields"]) == ("FIELD_INTEGRITY_EXCEPTION", ["EndDate"])
    api.update("Order", order, EndDate="2026-11-21")


@pytest.mark.parametrize("quantity", [0, -1])
def test_an_order_is_of_something(api: Api, order: str, quantity: int) -> None:
    item = api.one(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}'")["Id"]
    error = api.error("PATCH", f"sobjects/OrderItem/{item}", {"Quantity": quantity})
    assert (error["errorCode"], error["fields"]) == ("NUMBER_OUTSIDE_VALID_RANGE", ["Quantity"])
    assert row(api, "OrderItem", item)["AvailableQuantity"] == 1.0


def test_a_price_is_rounded_to_its_cents(api: Api, order: str) -> None:
    item = api.one(f"SELECT Id FROM OrderItem WHERE OrderId = '{order}'")["Id"]
    api.update("OrderItem", item, Quantity=1.5, UnitPrice=0.325)
    shown = row(api, "OrderItem", item)
    assert (shown["UnitPrice"], shown["TotalPrice"]) == (0.33, 0.5)
    assert row(api, "Order", order)["TotalAmount"] == 0.5


def test_a_case_knows_its_contact_and_keeps_internal_comments(api: Api, maria: str) -> None:
    contact = api.create("Contact", AccountId=maria, LastName="Kato", Email="kato@example.jp", Phone="03")
    case = api.create("Case", ContactId=contact, Subject="Modem", Comments="called twice")
    shown = row(api, "Case", case)
    assert (shown["ContactEmail"], shown["ContactPhone"], shown["Comments"]) == ("kato@example.jp", "03", None)
    (comment,) = api("GET", f"sobjects/Case/{case}/CaseComments").json()["records"]
    assert (comment["CommentBody"], comment["IsPublished"]) == ("called twice", False)
    api.update("Case", case, ContactId=None)
    assert row(api, "Case", case)["ContactEmail"] is None


def test_a_task_is_completed(api: Api) -> None:
    task = api.create("Task", Subject="Call")
    assert (row(api, "Task", task)["IsClosed"], row(api, "Task", task)["Priority"]) == (False, "Normal")
    api.update("Task", task, Status="Completed")
    assert row(api, "Task", task)["IsClosed"] is True
    assert row(api, "Task", task)["CompletedDateTime"] is not None


def test_names_of_people_are_made_of_their_parts(api: Api) -> None:
    lead = api.create("Lead", FirstName="Aiko", LastName="Mori", Company="Mori K.K.")
    assert row(api, "Lead", lead)["Name"] == "Aiko Mori"
    error = api.error("PATCH", f"sobjects/Lead/{lead}", {"Name": "x"})
    assert error["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_what_goes_with_an_account_and_what_holds_it_back(api: Api) -> None:
    account = api.create("Account", Name="Going")
    contact = api.create("Contact", AccountId=account, LastName="Kato")
    deal = api.create("Opportunity", AccountId=account, **DEAL)
    task = api.create("Task", WhatId=account, WhoId=contact)
    child = api.create("Account", Name="Child", ParentId=account)
    case = api.create("Case", AccountId=account, Subject="x")
    error = api.error("DELETE", f"sobjects/Account/{account}")
    assert error["errorCode"] == "DELETE_FAILED"
    assert "associated with the following cases.: 00001001" in error["message"]
    assert row(api, "Contact", contact)["AccountId"] == account, "a refusal takes nothing along"
    api("DELETE", f"sobjects/Case/{case}")
    assert api("DELETE", f"sobjects/Account/{account}").status == 204
    for path in (f"Contact/{contact}", f"Opportunity/{deal}", f"Task/{task}"):
        assert api.error("GET", f"sobjects/{path}")["errorCode"] == "ENTITY_IS_DELETED"
    assert row(api, "Account", child)["ParentId"] is None


def test_a_product_on_order_cannot_be_deleted(api: Api, maria: str) -> None:
    place(api, maria, ref="held")
    item = api.one("SELECT Product2Id, PricebookEntryId FROM OrderItem")
    for kind, record_id in (("Product2", item["Product2Id"]), ("PricebookEntry", item["PricebookEntryId"])):
        assert api.error("DELETE", f"sobjects/{kind}/{record_id}")["errorCode"] == "DELETE_FAILED"
