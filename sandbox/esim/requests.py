"""What may be asked of the provider, checked when a request arrives and again when its ticket ends."""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from sandbox.esim import numbers
from sandbox.esim.catalogue import PACKAGES, PLANS
from sandbox.esim.records import Line
from sandbox.esim.refusals import Refused

if TYPE_CHECKING:
    from sandbox.esim.provider import Provider

Asked = Mapping[str, str]
LONGEST = 200
# What each request must say, and what it may say besides.
FIELDS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "activate": (
        frozenset({"line_ref", "order_ref", "plan"}),
        frozenset({"eid", "msisdn", "mnp", "identity_ref"}),
    ),
    "reissue": (frozenset({"line_ref", "reason"}), frozenset({"new_eid"})),
    "topup": (frozenset({"line_ref", "package"}), frozenset()),
    "change_plan": (frozenset({"line_ref", "plan"}), frozenset({"effective"})),
    "suspend": (frozenset({"line_ref", "reason"}), frozenset()),
    "resume": (frozenset({"line_ref", "reason"}), frozenset()),
    "terminate": (frozenset({"line_ref", "reason"}), frozenset()),
}
CAPABILITY = {"resume": "suspend"}


def fingerprint(kind: str, asked: Asked) -> str:
    """The same for the same request."""
    return hashlib.sha256(json.dumps([kind, sorted(asked.items())]).encode()).hexdigest()


def check(provider: "Provider", kind: str, asked: Asked, *, own: int = 0) -> None:
    """Raises Refused when the request cannot be carried out as things stand. `own` is its ticket, once it has one."""
    if CAPABILITY.get(kind, kind) not in provider.settings.capabilities:
        raise Refused("NOT_SUPPORTED", f"this provider does not offer {kind}")
    _check_fields(kind, asked)
    _CHECKS[kind](provider, asked, own)


def _check_fields(kind: str, asked: Asked) -> None:
    needed, allowed = FIELDS[kind]
    for name in sorted(needed):
        if not asked.get(name):
            raise Refused("MISSING_FIELD", f"{name} is required")
    for name, value in asked.items():
        if name not in needed | allowed:
            raise Refused("UNKNOWN_FIELD", f"{name} is not a field of this request")
        if len(value) > LONGEST:
            raise Refused("INVALID_FIELD", f"{name} is longer than {LONGEST} characters")


def _activate(provider: "Provider", asked: Asked, own: int) -> None:
    if asked["plan"] not in PLANS:
        raise Refused("UNKNOWN_PLAN", "there is no such plan")
    if asked.get("eid"):
        _check_eid(provider, asked["eid"], asked["line_ref"])
    _check_number(provider, asked)
    mine = provider.lines.find("line_ref", asked["line_ref"])
    if mine and not own:
        raise Refused("LINE_EXISTS", "there is a line with this line_ref already")


def _check_number(provider: "Provider", asked: Asked) -> None:
    wanted, reservation = asked.get("msisdn", ""), asked.get("mnp", "")
    if bool(wanted) != bool(reservation):
        raise Refused("MNP_MISMATCH", "a number to bring along needs its reservation, and the other way round")
    if not wanted:
        return
    if "mnp_in" not in provider.settings.capabilities:
        raise Refused("NOT_SUPPORTED", "this provider does not take numbers over")
    if not numbers.is_msisdn(wanted) or not numbers.is_mnp(reservation):
        raise Refused("MNP_MISMATCH", "the number or its reservation is not well formed")
    if any(line.line_ref != asked["line_ref"] for line in _living(provider.lines.find("msisdn", wanted))):
        raise Refused("MSISDN_IN_USE", "this number is here already")


def _check_eid(provider: "Provider", eid: str, line_ref: str) -> None:
    if not numbers.is_eid(eid):
        raise Refused("INVALID_EID", "an EID has 32 digits, and its check digits must fit")
    if any(line.line_ref != line_ref for line in _living(provider.lines.find("eid", eid))):
        raise Refused("EID_IN_USE", "another line uses this EID")


def _living(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.status != "terminated"]


def _of(*states: str) -> Callable[["Provider", Asked, int], None]:
    """A check that the line is in one of the states."""

    def check_state(provider: "Provider", asked: Asked, _own: int) -> None:
        lines = provider.lines.find("line_ref", asked["line_ref"])
        if not lines:
            raise Refused("LINE_NOT_FOUND", "no such line")
        if lines[-1].status not in states:
            raise Refused("LINE_STATE", f"the line is {lines[-1].status}")

    return check_state


def _reissue(provider: "Provider", asked: Asked, own: int) -> None:
    _of("active", "suspended")(provider, asked, own)
    if asked.get("new_eid"):
        _check_eid(provider, asked["new_eid"], asked["line_ref"])


def _topup(provider: "Provider", asked: Asked, own: int) -> None:
    if asked["package"] not in PACKAGES:
        raise Refused("UNKNOWN_PACKAGE", "there is no such package")
    _of("active")(provider, asked, own)


def _change_plan(provider: "Provider", asked: Asked, own: int) -> None:
    if asked["plan"] not in PLANS:
        raise Refused("UNKNOWN_PLAN", "there is no such plan")
    if asked.get("effective", "now") != "now":
        raise Refused("INVALID_FIELD", "effective: this provider changes plans at once, with the value now")
    _of("active", "suspended")(provider, asked, own)


_CHECKS: dict[str, Callable[["Provider", Asked, int], None]] = {
    "activate": _activate,
    "reissue": _reissue,
    "topup": _topup,
    "change_plan": _change_plan,
    "suspend": _of("active"),
    "resume": _of("suspended"),
    "terminate": _of("active", "suspended"),
}
