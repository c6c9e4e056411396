"""What a customer-support agent does in Salesforce, by the same door and rules as everybody else."""

from collections.abc import Callable, Mapping
from typing import Any

from sandbox import catalogue
from sandbox.salesforce import moments
from sandbox.salesforce.errors import not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.seed import AGENT_USERNAME
from sandbox.store import Record
from sandbox.world import World

NOT_AVAILABLE = "Not available"
DEFAULT_ERROR = "Set to Failed at the desk"
RETURNED = "Returned"
ELIGIBILITY_CASE = "Eligibility Check"
IDENTITY_CASE = "ID Verification"
_ELIGIBILITY_SOURCE = "Portal - Internet Eligibility Request"


def eligibility_values() -> list[str]:
    """What an agent may answer: every value that opens some plan, and that none is available."""
    values = {value for product in catalogue.load().products for value in product.eligibility}
    return [*sorted(values), NOT_AVAILABLE]


class Agent:
    """Carol at her desk. Each method says in a sentence what happened, or raises ApiError with Salesforce's."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def _org(self) -> Org:
        return self._world.org

    def approve(self, order_id: str) -> str:
        """Status to Approved; the org's Flow does the rest."""
        return self._save_order(order_id, "order.approve", {"Status": "Approved"})

    def cancel(self, order_id: str) -> str:
        """Status to Cancelled."""
        return self._save_order(order_id, "order.cancel", {"Status": "Cancelled"})

    def fail(self, order_id: str, error: str = "") -> str:
        """Activation to Failed with an error text, as an operator does before asking for another try."""
        fields = {
            "Activation_Status__c": "Failed",
            "Activation_Error__c": error or DEFAULT_ERROR,
            "Activation_Error_DateTime__c": moments.write(self._world.now()),
        }
        return self._save_order(order_id, "order.fail", fields)

    def activate(self, order_id: str) -> str:
        """Activation to Activating: a request only if it was something else before."""
        return self._save_order(order_id, "order.activate", {"Activation_Status__c": "Activating"})

    def set_eligibility(self, account_id: str, value: str) -> str:
        """Answers an eligibility request: the account's value, its case closed, its opportunity Ready or Void."""
        available = value != NOT_AVAILABLE
        fields = {
            "Internet_Eligibility__c": value,
            "Internet_Eligibility_Status__c": "Checked",
            "Internet_Eligibility_Checked_Date_Time__c": moments.write(self._world.now()),
        }
        with self._org.store.transaction():
            name = self._save("Account", account_id, fields)
            closed = self._close_cases(account_id, ELIGIBILITY_CASE)
            for opportunity in self._asked(account_id):
                self._save("Opportunity", opportunity["Id"], {"StageName": "Ready" if available else "Void"})
        self._note("account.eligibility", account_id, {"value": value})
        return f"{name}: internet eligibility is now “{value}”.{closed}"

    def verify_identity(self, account_id: str) -> str:
        """Accepts the customer's papers."""
        fields = {
            "Id_Verification_Status__c": "Verified",
            "Id_Verification_Verified_Date_Time__c": moments.write(self._world.now()),
            "Id_Verification_Rejection_Message__c": None,
        }
        return self._judge_identity(account_id, fields)

    def reject_identity(self, account_id: str, message: str) -> str:
        """Refuses the customer's papers with a message that the customer reads."""
        fields = {
            "Id_Verification_Status__c": "Rejected",
            "Id_Verification_Verified_Date_Time__c": None,
            "Id_Verification_Rejection_Message__c": message
            or "The photo cannot be read. Send it again in better light.",
        }
        return self._judge_identity(account_id, fields)

    def close_case(self, case_id: str) -> str:
        """Closes a case."""
        self._save("Case", case_id, {"Status": "Closed"})
        self._note("case.close", case_id, {})
        return f"Case {self._org.existing('Case', case_id)['CaseNumber']} is closed."

    def answer_case(self, case_id: str, text: str) -> str:
        """Writes to the customer: a public comment, and the case waits for the customer. Empty words are refused."""
        case = self._org.existing("Case", case_id)
        comment = {"ParentId": case_id, "CommentBody": text, "IsPublished": True}
        with self._org.store.transaction():
            self._org.create("CaseComment", comment, self._org.user_named(AGENT_USERNAME))
            if not case["IsClosed"]:
                self._save("Case", case_id, {"Status": "Waiting for Customer"})
        self._note("case.answer", case_id, {})
        return f"Case {case['CaseNumber']}: your answer is on it."

    def mark_returned(self, opportunity_id: str) -> str:
        """The equipment of a cancelled line came back."""
        name = self._save("Opportunity", opportunity_id, {"LineReturn__c": RETURNED})
        self._note("opportunity.returned", opportunity_id, {})
        return f"{name}: the equipment is returned."

    def restore(self, record_id: str) -> str:
        """Takes a record out of the recycle bin, with what was deleted with it."""
        sobject = self._org.schema.of_id(record_id)
        if sobject is None:
            raise not_found()
        self._org.undelete(sobject.name, record_id, self._org.user_named(AGENT_USERNAME))
        self._note("record.restore", record_id, {"type": sobject.name})
        return f"{sobject.label} {record_id} is back."

    def _judge_identity(self, account_id: str, fields: Mapping[str, Any]) -> str:
        with self._org.store.transaction():
            name = self._save("Account", account_id, fields)
            closed = self._close_cases(account_id, IDENTITY_CASE)
        status = fields["Id_Verification_Status__c"]
        self._note("account.identity", account_id, {"status": status})
        return f"{name}: identity is now {status}.{closed}"

    def _save_order(self, order_id: str, operation: str, fields: Mapping[str, Any]) -> str:
        before = self._org.existing("Order", order_id)
        self._save("Order", order_id, fields)
        after = self._org.existing("Order", order_id)
        asked = after["Last_Idem_Key__c"] != before["Last_Idem_Key__c"]
        self._note(operation, order_id, {"before": _states(before), "after": _states(after), "event": asked})
        event = "An event asks the portal to provision it." if asked else "No event was published."
        return f"Order {after['OrderNumber']}: {_states(before)} → {_states(after)}. {event}"

    def _close_cases(self, account_id: str, kind: str) -> str:
        found = [each for each in self._org.find("Case", "AccountId", account_id) if _is_open(each, kind)]
        for case in found:
            self._save("Case", case["Id"], {"Status": "Closed"})
        return f" Closed with it: {', '.join(each['CaseNumber'] for each in found)}." if found else ""

    def _asked(self, account_id: str) -> list[Record]:
        found = self._org.find("Opportunity", "AccountId", account_id)
        return [each for each in found if each["StageName"] == "Introduction" and _from_eligibility(each)]

    def _save(self, kind: str, record_id: str, fields: Mapping[str, Any]) -> str:
        self._org.update(kind, record_id, fields, self._org.user_named(AGENT_USERNAME))
        return str(self._org.existing(kind, record_id).get("Name", ""))

    def _note(self, operation: str, key: str, detail: Mapping[str, Any]) -> None:
        self._world.ledger.write("desk", operation, key=key, detail=detail)


def _states(order: Record) -> str:
    return " / ".join(str(order[name]) for name in ("Status", "Activation_Status__c") if order[name])


def _is_open(case: Record, kind: str) -> bool:
    return case["Type"] == kind and not case["IsClosed"]


def _from_eligibility(opportunity: Record) -> bool:
    return bool(opportunity["Portal_Source__c"] == _ELIGIBILITY_SOURCE)


OrderAction = Callable[[Agent, str], str]
ORDER_ACTIONS: dict[str, OrderAction] = {
    "approve": Agent.approve,
    "cancel": Agent.cancel,
    "fail": Agent.fail,
    "activate": Agent.activate,
}
