"""CloseClient and DeleteClient (whmcs-wire §3.1)."""

from sandbox.whmcs.accounts import users
from sandbox.whmcs.accounts.clearing import clear
from sandbox.whmcs.answers import Answer, Refused
from sandbox.whmcs.billing.invoices import set_status
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, to_int, truthy
from sandbox.whmcs.records import Client

_ENDS = {"Pending": "Cancelled", "Active": "Terminated", "Suspended": "Terminated"}


def close_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Closes the client, cancels unpaid invoices, and sets services and add-ons to Cancelled or Terminated without
    running any module. Repeatable."""
    client = _wanted(whmcs, form)
    before, client.status = client.status, "Closed"
    whmcs.clients.put(client)
    for service in whmcs.services.find("client_id", client.id):
        service.status = _ENDS.get(service.status, service.status)
        whmcs.services.put(service)
    for addon in whmcs.addons.find("client_id", client.id):
        addon.status = _ENDS.get(addon.status, addon.status)
        whmcs.addons.put(addon)
    for invoice in whmcs.invoices.find("client_id", client.id):
        if invoice.status == "Unpaid":
            set_status(whmcs, invoice, "Cancelled")
    return Answer({"clientid": client.id}, key=str(client.id), detail={"before": before, "after": "Closed"})


def delete_client(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Removes the client and all that is the client's; transactions and users only when that is asked for, and a user
    only if nothing else is left to act for."""
    client = _wanted(whmcs, form)
    concerned = [user.id for user in users.users_of(whmcs, client)]
    clear(whmcs, client.id, transactions=truthy(form.get("deletetransactions")))
    whmcs.clients.delete(client.id)
    if truthy(form.get("deleteusers")):
        for number in concerned:
            if not users.clients_of(whmcs, number):
                whmcs.users.delete(number)
    return Answer({"clientid": client.id}, key=str(client.id))


def _wanted(whmcs: Whmcs, form: PhpArray) -> Client:
    client = whmcs.clients.get(to_int(form.get("clientid")))
    if client is None:
        raise Refused("Client ID Not Found")
    return client
