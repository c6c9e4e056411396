"""LogActivity and GetActivityLog (whmcs-wire §3.6). Only what LogActivity wrote is in the log here."""

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.system.records import ActivityEntry


def log_activity(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Adds a line, about a client or about nobody. Not repeatable: each call adds another."""
    if not text(form.get("description")):
        raise Refused("Description is required")
    client_id = to_int(form.get("clientid")) or to_int(form.get("userid"))
    entry = ActivityEntry(
        id=whmcs.activity.next_id(),
        client_id=client_id,
        date=whmcs.timestamp(),
        description=text(form["description"]),
        username=whmcs.settings.admin_username,
        address=whmcs.caller_address,
    )
    whmcs.activity.put(entry)
    return Answer(key=str(client_id))


def get_activity_log(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Lines by what was sent, the newest first. `userid` is the older name of `clientid` (8.5)."""
    client = text(form.get("clientid")) or text(form.get("userid"))
    among = whmcs.activity.find("client_id", to_int(client)) if client else whmcs.activity.walk()
    found = [each for each in among if _matches(each, form)][::-1]
    listing = page_of(form, found).envelope("activity", "entry", _row)
    del listing["numreturned"]
    return Answer(listing)


def _matches(entry: ActivityEntry, form: PhpArray) -> bool:
    return (
        text(form.get("description")).casefold() in entry.description.casefold()
        and text(form.get("user")).casefold() in ("", entry.username.casefold())
        and text(form.get("ipaddress")) in ("", entry.address)
        and _day(text(form.get("date"))) in ("", entry.date[:10])
    )


def _day(sent: str) -> str:
    """A localised day, day first, as `YYYY-MM-DD`; other texts stay as they are."""
    parts = sent.split("/")
    return f"{parts[2]}-{parts[1]}-{parts[0]}" if len(parts) == 3 else sent


def _row(entry: ActivityEntry) -> Payload:
    return {
        "id": entry.id,
        "clientId": entry.client_id,
        "userId": 0,
        "adminId": 1,
        "date": entry.date,
        "description": entry.description,
        "username": entry.username,
        "ipaddress": entry.address,
        "userid": entry.client_id,
    }
