"""Bodies of calls that hold others, and how the tests send them."""

from typing import Any

from tests.sandbox.salesforce.conftest import BASE, Api

ROLLED_BACK = {
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
    "errorCode": "PROCESSING_HALTED",
}


def sub(reference: str, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
    """One sub-request; `path` is below the version's root unless it begins with a slash."""
    url = path if path.startswith("/") else f"{BASE}/{path}"
    return {"referenceId": reference, "method": method, "url": url, "body": body, **more}


def account(reference: str, name: str, **fields: Any) -> dict[str, Any]:
    """A sub-request that makes an account; one without a name is refused."""
    return sub(reference, "POST", "sobjects/Account", {"Name": name, **fields})


def composite(api: Api, *subs: dict[str, Any], all_or_none: bool = True) -> list[dict[str, Any]]:
    """The sub-responses of a Composite that is answered at all."""
    reply = api("POST", "composite/", {"allOrNone": all_or_none, "compositeRequest": list(subs)})
    assert reply.status == 200, reply.text
    return list(reply.json()["compositeResponse"])


def row(kind: str, **fields: Any) -> dict[str, Any]:
    """One record of a collection."""
    return {"attributes": {"type": kind}, **fields}


def names(api: Api) -> list[str]:
    """The names of the accounts that tests made, which begin with Test, in order."""
    return [each["Name"] for each in api.query("SELECT Name FROM Account WHERE Name LIKE 'Test %' ORDER BY Name")]


def used(api: Api) -> int:
    """How many calls count today, this one included."""
    limit = api("GET", "limits").json()["DailyApiRequests"]
    return int(limit["Max"] - limit["Remaining"])
