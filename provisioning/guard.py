"""May this order be provisioned, and for which WHMCS client? (decisions.md 20)"""

from django.conf import settings

from accounts.models import CustomerLink
from integrations import gateway
from integrations.salesforce.schemas import ProvisionableOrder
from journal import facts
from provisioning.claims import Claim
from provisioning.failures import Code, Failure, NotWanted
from provisioning.remote_orders import KIND, subject_of
from provisioning.steps import step

READ_AGAIN_AFTER_S = 10
IDENTITY_CATEGORY = "SIM"


def read(claim: Claim, *, name: str = "guard") -> ProvisionableOrder:
    """The order as Salesforce has it now, if it wants to be provisioned.

    Raises NotWanted (unknown, not Activating), Failure (not approved, identity not verified), Fenced, and what
    the Salesforce client raises. One query; changes nothing.
    """
    with step(claim, name, deadline_s=settings.READ_DEADLINE_S):
        order = gateway.salesforce().order_for_provisioning(claim.attempt.order_id)
        if order is None:
            raise NotWanted(Code.UNKNOWN_ORDER)
        check(order)
    return order


def check(order: ProvisionableOrder) -> None:
    """Raises NotWanted or Failure when the order may not be provisioned now."""
    if order.activation_status != "Activating":
        raise NotWanted(Code.NOT_ACTIVATING)
    if order.status != "Approved" and not (order.status == "Activated" and _was_provisioned(order)):
        raise Failure(Code.ORDER_NOT_APPROVED, f"Status is {order.status}")
    is_sim = any(item.category == IDENTITY_CATEGORY for item in order.items)
    if is_sim and order.identity_status != "Verified":
        raise Failure(Code.IDENTITY_PENDING, f"identity status is {order.identity_status or 'empty'}")


def client_of(order: ProvisionableOrder) -> int:
    """The WHMCS client the order is provisioned for. Raises Failure when none, or not the same one, is named."""
    links = CustomerLink.objects.filter(sf_account_id=order.account_id, state=CustomerLink.State.LINKED)
    linked = links.values_list("whmcs_client_id", flat=True).first()
    named = order.whmcs_client.strip()
    if not named and linked is None:
        raise Failure(Code.NO_WHMCS_CLIENT)
    if named and not named.isdecimal():
        raise Failure(Code.NO_WHMCS_CLIENT, "WH_Account__c is not a number")
    if named and linked is not None and int(named) != linked:
        raise Failure(Code.CLIENT_MISMATCH, f"portal {linked}, Account {named}")
    return int(named) if named else int(linked or 0)


def _was_provisioned(order: ProvisionableOrder) -> bool:
    return order.whmcs_order_id is not None or facts.recall(subject_of(order.id), KIND) is not None
