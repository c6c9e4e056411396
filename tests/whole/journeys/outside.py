"""What lies outside the browser: the mailbox, the desk of customer support, and the judge."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext, override

from sandbox.demo.stack import Stack
from sandbox.demo.verdict import accepted_by_whmcs, disagreements, salesforce
from tests.sandbox_process import Buttons
from tests.waiting import until
from tests.whole.journeys.people import Person

CODE = re.compile(r"^\s*([A-Z0-9]{3,5}-[A-Z0-9]{3,5})\s*$", re.MULTILINE)
PATIENCE_S = 30


class Outside:
    """Of one customer, known by e-mail address, who reads this language."""

    def __init__(self, stack: Stack, email: str, language: str) -> None:
        self.email, self.language, self.ready = email, language, stack.ready
        self.buttons = Buttons(stack.ready["people_url"])

    # --- mail

    def mails(self, to: str = "") -> list[dict[str, Any]]:
        """Newest first."""
        return list(self.buttons.get("/control/mail", to=to or self.email)["messages"])

    def mail(self, subject: str, to: str = "", **values: str) -> dict[str, Any]:
        """Waits for the mail with this subject, which is given in English, in the customer's language."""
        with override(self.language):
            expected = gettext(subject) % values

        def look() -> dict[str, Any]:
            return next((mail for mail in self.mails(to) if mail["subject"].strip() == expected), {})

        return until(look, what=f"the mail “{expected}”", timeout_s=PATIENCE_S)

    def code(self, to: str = "") -> str:
        """The newest code from a mail."""
        return until(lambda: "".join(CODE.findall("\n".join(self._texts(to)))[:1]), what="the mail with the code")

    def _texts(self, to: str) -> list[str]:
        return [mail["text"].replace("\r\n", "\n") for mail in self.mails(to)]

    # --- the desk

    def account(self) -> dict[str, Any]:
        """The one Account in Salesforce that has a Contact with this address; fails when there are more or none."""
        fields = "Id, SF_Account_No__c, WH_Account__c"
        found = self._rows(f"SELECT {fields} FROM Account WHERE Id IN ({self._account_ids()})")
        assert len(found) == 1, found
        return found[0]

    def was_a_customer(self, person: Person) -> Person:
        """Puts an Account of an earlier time into Salesforce; the person with its number."""
        number = str(200_000 + len(self._rows("SELECT Id FROM Account")))
        org = salesforce(self.ready)
        names = {"LastName": person.family_name, "FirstName": person.given_name}
        account = {"Name": f"{person.family_name} {person.given_name}", "SF_Account_No__c": number, "Type": "Customer"}
        made = org.Account.create(account)
        org.Contact.create({"AccountId": made["id"], "Email": person.email, **names})
        return replace(person, number=number)

    def _account_ids(self) -> str:
        contacts = self._rows(f"SELECT AccountId FROM Contact WHERE Email = '{self.email}'")
        return ", ".join(f"'{row['AccountId']}'" for row in contacts)

    def _rows(self, query: str) -> list[dict[str, Any]]:
        return [dict(row) for row in salesforce(self.ready).query(query)["records"]]

    def order(self, order_id: str, button: str) -> None:
        self.buttons.control(f"/control/desk/orders/{order_id}/{button}")

    def decides(self, about: str, **answer: str) -> None:
        """Support answers on the Account: `eligibility` with a value, `identity` with a status and a message."""
        self.buttons.control(f"/control/desk/accounts/{self.account()['Id']}/{about}", answer)

    def has_case(self, kind: str) -> Callable[[], bool]:
        """Whether an open Case of this type is on the customer's Account."""

        def look() -> bool:
            where = f"Type = '{kind}' AND IsClosed = false AND AccountId = '{self.account()['Id']}'"
            return bool(self._rows(f"SELECT Id FROM Case WHERE {where}"))

        return look

    # --- the judge

    def judge(self, *, provisioned: list[str], cancelled: list[str]) -> None:
        """One Account and one client; one Order for each of these ids, one WHMCS order for each that is provisioned."""
        for order_id in provisioned:
            self._is_right(order_id)
            assert len(accepted_by_whmcs(self.ready, order_id)) == 1
        for order_id in cancelled:
            assert accepted_by_whmcs(self.ready, order_id) == []
        account = self.account()
        orders = self._rows(f"SELECT Id FROM Order WHERE AccountId = '{account['Id']}'")
        assert sorted(row["Id"] for row in orders) == sorted([*provisioned, *cancelled])
        client = account["WH_Account__c"]
        assert len(self._rows(f"SELECT Id FROM Account WHERE WH_Account__c = '{client}'")) == 1
        made = self.buttons.ledger(system="whmcs", operation="AddClient")
        assert [row["key"] for row in made if row["detail"]["customer_number"] == account["SF_Account_No__c"]] == [
            client
        ]

    def _is_right(self, order_id: str) -> None:
        until(lambda: not disagreements(self.ready, order_id), what=f"{order_id} to be provisioned everywhere, once")
