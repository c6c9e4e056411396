"""GetClientsDetails, GetClients, GetClientGroups and AddClientNote (whmcs-wire §3.1)."""

from sandbox.whmcs.accounts.details import client_details, client_stats
from sandbox.whmcs.accounts.records import ClientNote
from sandbox.whmcs.accounts.searching import beginning_so
from sandbox.whmcs.accounts.switches import ClientGroup
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import SEARCHED, Whmcs
from sandbox.whmcs.listing import page_of, page_of_book
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.records import Client

_COLUMNS = ("id", "firstname", "lastname", "companyname", "email", "groupid", "status")


def get_clients_details(whmcs: Whmcs, form: PhpArray) -> Answer:
    """One client by id or by the client's own e-mail; its fields come under `client` and again at the top (§1.5)."""
    if not text(form.get("clientid")) and not text(form.get("email")):
        raise Refused("Either clientid Or email Is Required")
    client = find_client(whmcs, form)
    if client is None:
        raise Refused("Client Not Found")
    details = client_details(whmcs, client)
    stats = {"stats": client_stats(whmcs, client)} if truthy(form.get("stats")) else {}
    return Answer({**details, "client": details, **stats}, key=str(client.id))


def find_client(whmcs: Whmcs, form: PhpArray) -> Client | None:
    """By `clientid` when it is sent, else by `email`."""
    if text(form.get("clientid")):
        return whmcs.clients.get(to_int(form["clientid"]))
    return next(iter(whmcs.clients.find("email", text(form.get("email")))), None)


def get_clients(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Clients whose e-mail, company or name begins with `search`, by `orderby`; other filters are ignored (§0 no. 10).

    Without a filter and by id, clients behind the page are not read.
    """
    wanted, status = text(form.get("search")).casefold(), text(form.get("status"))
    column = text(form.get("orderby")).lower()
    descending = text(form.get("sorting")).upper() == "DESC"
    if not wanted and not status and column in ("", "id", "datecreated"):
        listing = page_of_book(form, whmcs.clients, newest_first=descending)
        return Answer(listing.envelope("clients", "client", _row))
    found = _found(whmcs, wanted, status)
    found.sort(key=lambda each: (_sort_value(each, column), each.id), reverse=descending)
    return Answer(page_of(form, found).envelope("clients", "client", _row))


def _found(whmcs: Whmcs, wanted: str, status: str) -> list[Client]:
    if wanted:
        named = beginning_so(whmcs.clients, SEARCHED, wanted)
        return [each for each in named if status.casefold() in ("", each.status.casefold())]
    return whmcs.clients.find("status", status) if status else whmcs.clients.all()


def _sort_value(client: Client, column: str) -> tuple[int, str]:
    if column == "datecreated":
        return 0, client.created
    value = getattr(client, column) if column in _COLUMNS else client.id
    return (value, "") if isinstance(value, int) else (0, value.casefold())


def _row(client: Client) -> Payload:
    return {
        "id": client.id,
        "firstname": client.firstname,
        "lastname": client.lastname,
        "companyname": client.companyname,
        "email": client.email,
        "datecreated": client.created[:10],
        "groupid": client.groupid,
        "status": client.status,
    }


def get_client_groups(whmcs: Whmcs, _: PhpArray) -> Answer:
    """The groups an administrator made; flags are "on" or "" (§1.5)."""
    rows = [_group(each) for each in whmcs.settings.client_groups]
    return Answer({"totalresults": len(rows), "groups": {"group": rows}})


def _group(group: ClientGroup) -> Payload:
    return {
        "id": group.id,
        "groupname": group.groupname,
        "groupcolour": group.groupcolour,
        "discountpercent": group.discountpercent,
        "susptermexempt": "on" if group.susptermexempt else "",
        "separateinvoices": "on" if group.separateinvoices else "",
    }


def add_client_note(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A note of the staff, which no action gives back. Not repeatable: each call makes another."""
    client = whmcs.clients.get(to_int(form.get("userid")))
    if client is None:
        raise Refused("Client ID not found")
    if not text(form.get("notes")):
        raise Refused("Notes can not be empty")
    number = whmcs.client_notes.next_id()
    sticky = truthy(form.get("sticky"))
    whmcs.client_notes.put(ClientNote(number, client.id, text(form["notes"]), sticky, whmcs.timestamp()))
    return Answer({"noteid": number}, key=str(client.id))
