"""How the desk's pages look: its templates, and the tone in which a state is shown."""

from pathlib import Path

from sandbox.pages import Link, Pages

HERE = Path(__file__).parent
NAVIGATION = {
    "orders": Link("Orders", "/"),
    "customers": Link("Customers", "/customers"),
    "cases": Link("Cases", "/cases"),
    "whmcs": Link("WHMCS", "/billing"),
    "esim": Link("eSIM", "/esim"),
    "records": Link("Records", "/records"),
    "mail": Link("Mail", "/mail/"),
    "faults": Link("Faults", "/faults/"),
    "ledger": Link("Ledger", "/ledger"),
}
_TONES = {
    "wait": (
        "Pending",
        "Pending Review",
        "Approved",
        "Activating",
        "Unpaid",
        "New",
        "Working",
        "Ready",
        "Post Processing",
        "Escalated",
        "issuing",
        "accepted",
        "processing",
    ),
    "ok": ("Activated", "Provisioned", "Active", "Completed", "Paid", "Verified", "Checked", "active", "done"),
    "bad": ("Failed", "Rejected", "Fraud", "failed"),
}
_TONE_OF = {state: tone for tone, states in _TONES.items() for state in states}


def desk_pages(*more: Path) -> Pages:
    """Pages in the desk's look, from these directories and from its own."""
    pages = Pages(*more, HERE / "templates", shared={"navigation": NAVIGATION})
    pages.add_filter("tone", tone)
    pages.add_filter("plain", plain)
    return pages


def plain(value: object) -> str:
    """A value of a ledger row in words instead of Python's notation."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {plain(each)}" for key, each in value.items())
    return ", ".join(map(plain, value)) if isinstance(value, list) else str(value)


def tone(state: object) -> str:
    """How a state is shown: wait, ok, bad, or quiet for everything else. The word itself always stands beside it."""
    return _TONE_OF.get(str(state), "quiet")
