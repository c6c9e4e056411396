"""Small rules of accounts and of everybody with a name."""

from sandbox.salesforce.saving import Saving

# Customer numbers are six digits; the ones below were given out before there was a portal.
FIRST_ACCOUNT_NUMBER = 105001
_NUMBER = "SF_Account_No__c"


def give_account_number(account: Saving) -> None:
    """A new account without a customer number gets the next one (decisions.md 4, source `salesforce`)."""
    while account.creating and not account.record.get(_NUMBER):
        number = f"{account.org.store.next_number(_NUMBER, start=FIRST_ACCOUNT_NUMBER):06d}"
        if not account.org.find("Account", _NUMBER, number):
            account.record[_NUMBER] = number


def compose_name(person: Saving) -> None:
    """Name is made from the parts of it."""
    parts = (person.record.get("FirstName"), person.record.get("LastName"))
    person.record["Name"] = " ".join(part for part in parts if part) or None
