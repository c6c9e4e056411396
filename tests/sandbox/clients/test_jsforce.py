"""jsforce 3 from npm, unmodified, against the real process: what its manual shows.

The scripts in `jsforce/` use the client and say what they saw as lines of JSON; here it is judged.
"""

import uuid

import pytest

from tests.sandbox.clients.node import Node, require_clients
from tests.sandbox_process import Sandbox


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    require_clients()


def test_every_way_to_sign_in(sandbox_process: Sandbox) -> None:
    users, *identities, wrong, signed_out = Node(sandbox_process, "jsforce/logins").finish()
    by_soap, by_oauth, by_key = users["users"]
    assert by_soap == by_oauth == by_key
    assert (
        identities
        == [
            {
                "instanceUrl": sandbox_process.urls["salesforce_url"],
                "username": sandbox_process.urls["salesforce_username"],
                "organization_id": by_soap["organizationId"],
                "user_id": by_soap["id"],
            }
        ]
        * 3
    )
    assert wrong["message"].startswith("INVALID_LOGIN")
    assert signed_out["signed out"] == "INVALID_SESSION_ID"


def test_records_are_written_read_and_described(sandbox_process: Sandbox) -> None:
    said = Node(sandbox_process, "jsforce/records", ref=uuid.uuid4().hex).finish()
    one, upserted, all_or_none, found, tree, bare, description, everything, destroyed, gone, no_column = said
    account = one["made"]["id"]
    assert one["made"] == one["changed"] == {"id": account, "success": True, "errors": []}
    assert (one["upserted"]["id"], one["upserted"]["created"]) == (account, False)
    assert one["read"] == {"Name": "One", "Phone": "03-5550-0101", "Fax": "2"}
    first, second, third = upserted["upsertedMany"]
    assert (first["id"], first["created"], second["created"]) == (account, False, True)
    assert third["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    codes = [each["errors"][0]["statusCode"] for each in all_or_none["allOrNone"]]
    assert codes == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert found == {"found": ["3", None], "retrieved": 2}
    assert [each["referenceId"] for each in tree["tree"]["results"]] == ["account", "contact"]
    assert tree["linked"] is True
    assert "REQUIRED_FIELD_MISSING" in bare["message"]
    assert description == {"keyPrefix": "001", "children": True}
    assert {"Account", "Order", "OrderProvisionRequested__e"} <= set(everything["objects"])
    assert [each["success"] for each in destroyed["destroyed"]] == [True, True]
    assert destroyed["again"][0]["errors"][0]["statusCode"] == "ENTITY_IS_DELETED"
    assert (gone["gone"], no_column["no column"]) == ("ENTITY_IS_DELETED", "INVALID_FIELD")


def test_a_long_result_is_fetched_to_its_end(sandbox_process: Sandbox) -> None:
    made, whole, pages, counted = Node(sandbox_process, "jsforce/queries", ref=uuid.uuid4().hex).finish()
    assert made == {"made": 450}
    assert whole == {"totalSize": 450, "done": True, "names": [f"Page {n:03}" for n in range(450)]}
    assert pages == {"pages": [200, 250], "done": True}
    assert counted["limit"] == counted["max"]
