"""The installation about itself and its administrator: WhmcsDetails to TriggerNotificationEvent (whmcs-wire §3.6)."""

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.rendering import VERSION
from sandbox.whmcs.support.messages import STAFF

_ADMIN_EMAIL = "admin@whmcs.example"
_PERMISSIONS = (
    "List Clients",
    "List Services",
    "Add New Client",
    "Edit Clients Details",
    "Manage Pay Methods",
    "View Orders",
    "Add New Order",
    "List Invoices",
    "Manage Invoice",
    "List Support Tickets",
    "View Activity Log",
    "API Access",
)


def whmcs_details(_: Whmcs, __: PhpArray) -> Answer:
    """The version."""
    return Answer({"whmcs": _version()})


def _version() -> Payload:
    return {"version": VERSION, "canonicalversion": f"{VERSION}-release.1"}


def get_admin_details(whmcs: Whmcs, _: PhpArray) -> Answer:
    """The administrator behind the credential; departments stand between commas."""
    settings = whmcs.settings
    departments = "".join(f"{number}," for number in settings.admin_departments)
    return Answer(
        {
            "adminid": 1,
            "name": STAFF,
            "notes": settings.admin_notes,
            "signature": "",
            "allowedpermissions": ",".join(_PERMISSIONS),
            "departments": f",{departments}",
            "requesttime": whmcs.timestamp(),
            "whmcs": _version(),
        }
    )


def get_admin_users(whmcs: Whmcs, form: PhpArray) -> Answer:
    """The one administrator, if what was sent fits; the official sample has no `result`, which this answer has."""
    settings = whmcs.settings
    shown = truthy(form.get("include_disabled")) or settings.admin_enabled
    role = text(form.get("roleid"))
    fits = text(form.get("email")).casefold() in _ADMIN_EMAIL and (not role or to_int(role) == 1)
    rows = [_admin(whmcs)] if shown and fits else []
    return Answer({"count": len(rows), "admin_users": rows})


def _admin(whmcs: Whmcs) -> Payload:
    settings = whmcs.settings
    first, last = STAFF.split()
    departments = [str(number) for number in settings.admin_departments]
    return {
        "id": 1,
        "uuid": "",
        "roleId": 1,
        "username": settings.admin_username,
        "twoFactorAuthModule": "",
        "firstname": first,
        "lastname": last,
        "email": _ADMIN_EMAIL,
        "signature": "",
        "notes": settings.admin_notes,
        "template": "blend",
        "language": "english",
        "isDisabled": int(not settings.admin_enabled),
        "loginAttempts": 0,
        "supportDepartmentIds": departments,
        "receivesTicketNotifications": departments,
        "fullName": STAFF,
    }


def get_staff_online(_: Whmcs, __: PhpArray) -> Answer:
    """Nobody: the sandbox has no administration to be signed in to."""
    return Answer({"totalresults": 0, "staffonline": {"staff": []}})


def get_health_status(_: Whmcs, __: PhpArray) -> Answer:
    """Success, which is all that the reference documents."""
    return Answer()


def get_announcements(_: Whmcs, form: PhpArray) -> Answer:
    """None: announcements are written in the administration, which the sandbox does not play."""
    nothing: list[Payload] = []
    return Answer(page_of(form, nothing).envelope("announcements", "announcement", lambda row: row))


def get_configuration_value(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A value of the configuration by its name."""
    name = text(form.get("setting"))
    if not name:
        raise Refused("Parameter setting is required")
    known = whmcs.settings.configuration
    if name not in known:
        raise Refused("Invalid name for parameter setting")
    return Answer({"setting": name, "value": known[name]})


def update_admin_notes(whmcs: Whmcs, form: PhpArray) -> Answer:
    """The administrator's notes, as a whole."""
    whmcs.configure(admin_notes=text(form.get("notes")))
    return Answer()


def trigger_notification_event(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Goes to the ledger, where a real installation goes through its notification rules. Not repeatable."""
    for name, what in (("notification_identifier", "identifier string"), ("title", "title"), ("message", "message")):
        if not text(form.get(name)):
            ending = "passed" if name == "notification_identifier" else "provided"
            raise Refused(f"API Notification Events require a {what} to be {ending}.")
    return Answer(key=text(form["notification_identifier"]))
