"""Where single sign-on can lead (whmcs-wire §3.1)."""

from sandbox.whmcs.answers import Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import Client

CLIENT_AREA = "/whmcs"
HOME = "clientarea.php"
PAYMENT_METHODS = "index.php?rp=/account/paymentmethods"
INVOICES = "clientarea.php?action=invoices"
_PRODUCT = "clientarea.php?action=productdetails&id={}"
_CUSTOM = "sso:custom_redirect"
# The destinations that the client area of this sandbox really has lead to their page, all others to its home.
DESTINATIONS = {
    "clientarea:billing_info": PAYMENT_METHODS,
    "clientarea:invoices": INVOICES,
    **dict.fromkeys(
        (
            "clientarea:profile",
            "clientarea:emails",
            "clientarea:announcements",
            "clientarea:downloads",
            "clientarea:knowledgebase",
            "clientarea:network_status",
            "clientarea:services",
            "clientarea:domains",
            "clientarea:tickets",
            "clientarea:submit_ticket",
            "clientarea:shopping_cart",
            "clientarea:shopping_cart_addons",
            "clientarea:shopping_cart_domain_register",
            "clientarea:shopping_cart_domain_transfer",
        ),
        HOME,
    ),
}


def landing(whmcs: Whmcs, client: Client, form: PhpArray) -> str:
    """The page after redemption, relative to the client area, which it never leaves. Raises Refused."""
    destination = text(form.get("destination"))
    if destination == _CUSTOM:
        return text(form.get("sso_redirect_path")).lstrip("/\\") or HOME
    if destination == "clientarea:product_details":
        return _PRODUCT.format(_service(whmcs, client, form))
    if destination == "clientarea:domain_details":
        raise Refused("Token could not be provisioned: domain_id is not a domain of this client")
    if destination and destination not in DESTINATIONS:
        raise Refused("Invalid destination")
    return DESTINATIONS.get(destination, HOME)


def _service(whmcs: Whmcs, client: Client, form: PhpArray) -> int:
    service = whmcs.services.get(to_int(form.get("service_id")))
    if service is None or service.client_id != client.id:
        raise Refused("Token could not be provisioned: service_id is not a service of this client")
    return service.id
