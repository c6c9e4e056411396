"""The two record-triggered Flows of the order process (salesforce-org.md, section 2; keys: decisions.md 19).

The first runs before the save and only changes the record being saved, so it causes no second save. The second runs
after it and publishes one event for each change to Activating, once the transaction is committed.
"""

from sandbox.salesforce.events import PROVISION_REQUESTED
from sandbox.salesforce.publishing import publish
from sandbox.salesforce.saving import Saving

APPROVED = "Approved"
ACTIVATING = "Activating"


def approval_before_save(order: Saving) -> None:
    """Approval, or a retry by hand: mark the order Activating, clear the last error, make the request's key."""
    approved = order.changed("Status") and order.record["Status"] == APPROVED
    retried = order.changed("Activation_Status__c") and order.record["Activation_Status__c"] == ACTIVATING
    if order.creating or not (approved or retried):
        return
    number = int(order.record.get("Provision_Request_No__c") or 0) + 1
    order.record.update(
        Activation_Status__c=ACTIVATING,
        Activation_Error__c=None,
        Activation_Error_DateTime__c=None,
        Provision_Request_No__c=float(number),
        Last_Idem_Key__c=f"{order.record['Id']}-{order.org.clock.now():%Y-%m-%d %H:%M:%S}Z-{number}",
    )


def provision_request_after_save(order: Saving) -> None:
    """The order has just become Activating: publish OrderProvisionRequested__e after commit."""
    if order.creating or not order.changed("Activation_Status__c"):
        return
    record = order.record
    if record["Activation_Status__c"] == ACTIVATING:
        fields = {
            "OrderId__c": record["Id"],
            "IdemKey__c": record["Last_Idem_Key__c"],
            "CorrelationId__c": record["Portal_Correlation_Id__c"],
            "RequestedBy__c": order.user_id,
            "Version__c": 1,
        }
        publish(order.org, order.org.schema[PROVISION_REQUESTED], fields, order.user_id)
