"""Do the outside systems agree that the order is provisioned? Asked on the wire, as any other client would."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import requests
from simple_salesforce.api import Salesforce

ITEMS = "SELECT Id, WHMCS_Service_ID__c, Product2.Item_Class__c FROM OrderItems"
OPPORTUNITY = "OpportunityId, Opportunity.StageName, Opportunity.WHMCS_Service_ID__c"


def salesforce(ready: Mapping[str, str]) -> Any:
    """simple-salesforce in direct mode, signed in by JWT."""
    session = requests.Session()
    session.trust_env, session.verify = False, ready["ca"]
    claims = {"iss": ready["salesforce_client_id"], "sub": ready["salesforce_username"]}
    claims |= {"aud": "https://login.salesforce.com", "exp": str(int(time.time()) + 180)}
    assertion = jwt.encode(claims, Path(ready["salesforce_key"]).read_text(), "RS256")
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    answer = session.post(f"{ready['salesforce_url']}/services/oauth2/token", data=form, timeout=15)
    answer.raise_for_status()
    token = answer.json()
    return Salesforce(
        session_id=token["access_token"], instance_url=token["instance_url"], session=session, version="66.0"
    )


def held_by_salesforce(ready: Mapping[str, str], order_id: str) -> dict[str, Any]:
    """The Order with its items and Opportunity."""
    fields = f"Id, Status, Activation_Status__c, Activation_Error__c, WHMCS_Order_Id__c, {OPPORTUNITY}, ({ITEMS})"
    found = salesforce(ready).query(f"SELECT {fields} FROM Order WHERE Id = '{order_id}'")  # noqa: S608 - our own id
    return dict(json.loads(json.dumps(found["records"][0])))


def accepted_by_whmcs(ready: Mapping[str, str], order_id: str) -> list[dict[str, Any]]:
    """The ledger's rows of accepted WHMCS orders that carry the mark."""
    address = f"{ready['people_url']}/control/ledger?system=whmcs&operation=AcceptOrder&word={order_id}"
    rows = requests.get(address, timeout=15).json()["rows"]
    return [row for row in rows if order_id in json.dumps(row["detail"])]


def disagreements(ready: Mapping[str, str], order_id: str) -> list[str]:
    """What is not as it must be; empty when the order is provisioned everywhere, once."""
    order, accepted = held_by_salesforce(ready, order_id), accepted_by_whmcs(ready, order_id)
    items = order["OrderItems"]["records"]
    opportunity = order["Opportunity"] or {}
    checks = {
        f"WHMCS accepted {len(accepted)} orders with the mark, not 1": len(accepted) == 1,
        f"Salesforce Order is {order['Status']}, not Activated": order["Status"] == "Activated",
        f"Activation is {order['Activation_Status__c']}, not Provisioned": order["Activation_Status__c"]
        == "Provisioned",
        "The Order has no WHMCS order id": bool(order["WHMCS_Order_Id__c"]),
        "An order item has no WHMCS service id": all(item["WHMCS_Service_ID__c"] for item in items),
        "The Opportunity is not Active": opportunity.get("StageName") == "Active",
        "The Opportunity has no WHMCS service id": bool(opportunity.get("WHMCS_Service_ID__c")),
    }
    return [sentence for sentence, holds in checks.items() if not holds]
