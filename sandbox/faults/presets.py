"""Named sets of rules for what happens to everybody sooner or later."""

from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.faults.rules import Match, Spec

_PLACING = Match(part="sobjects.create Order")


@dataclass(frozen=True)
class Preset:
    """Rules that are made together; `name` stands in its address."""

    name: str
    title: str
    explanation: str
    specs: tuple[Spec, ...]


def _always(system: str, kind: str, operation: str = "", **parameters: object) -> Spec:
    return Spec(system=system, kind=kind, operation=operation, parameters=parameters, when="always")


def _once(system: str, kind: str, operation: str = "", *, match: Match | None = None, **parameters: object) -> Spec:
    return Spec(system=system, kind=kind, operation=operation, parameters=parameters, match=match or Match())


_ALL = (
    Preset(
        "whmcs-loses-add-order",
        "WHMCS loses the answer of AddOrder",
        "The order is made, the connection ends without an answer. Once.",
        (_once("whmcs", "drop", "AddOrder", at="after"),),
    ),
    Preset(
        "whmcs-loses-accept-order",
        "WHMCS loses the answer of AcceptOrder",
        "The order is accepted and set up, the connection ends without an answer. Once.",
        (_once("whmcs", "drop", "AcceptOrder", at="after"),),
    ),
    Preset(
        "whmcs-module-fails",
        "The provisioning module fails",
        "The next service cannot be made: AcceptOrder or ModuleCreate answers with the module's error. Once.",
        (_once("whmcs", "module_failure", "module.create"),),
    ),
    Preset(
        "whmcs-maintenance",
        "WHMCS maintenance",
        "Every call gets an HTML page with status 503 until the rule is removed.",
        (_always("whmcs", "html"),),
    ),
    Preset(
        "whmcs-down",
        "WHMCS is down",
        "The port is closed until the rule is removed.",
        (_always("whmcs", "port_closed"),),
    ),
    Preset(
        "whmcs-crawls",
        "WHMCS crawls",
        "Every answer takes three seconds more, with the work done first.",
        (_always("whmcs", "latency", ms=3000, at="after"),),
    ),
    Preset(
        "salesforce-maintenance",
        "Salesforce maintenance",
        "Every HTTP call gets an HTML page with status 503, and every RPC is refused, until both rules are removed.",
        (_always("salesforce", "html"), _always("pubsub", "refused")),
    ),
    Preset(
        "salesforce-limit",
        "Salesforce's daily requests are used up",
        "Every REST call is refused with REQUEST_LIMIT_EXCEEDED until the rule is removed; events still come.",
        (_always("salesforce", "request_limit_exceeded"),),
    ),
    Preset(
        "salesforce-sessions-ended",
        "Every Salesforce session is ended",
        "All tokens are invalid from now on; new ones can be had.",
        (Spec(system="salesforce", kind="session_expired", parameters={"scope": "all"}, when="now"),),
    ),
    Preset(
        "salesforce-loses-placing",
        "Salesforce loses the answer of placing an order",
        "The Composite that makes an Order is carried out, the connection ends without an answer. Once.",
        (_once("salesforce", "drop", "composite", match=_PLACING, at="after"),),
    ),
    Preset(
        "salesforce-order-locked",
        "An Order is locked three times",
        "The next three changes of an Order fail with UNABLE_TO_LOCK_ROW.",
        (Spec(system="salesforce", kind="row_lock", operation="record.update Order", when="times", times=3),),
    ),
    Preset(
        "stream-breaks",
        "The event stream breaks",
        "Every live stream ends with UNAVAILABLE, now.",
        (Spec(system="pubsub", kind="stream_cut", parameters={"status": "UNAVAILABLE"}, when="now"),),
    ),
    Preset(
        "stream-silent",
        "The event stream goes silent",
        "Streams stay open and nothing comes, not even keep-alives, until the rule is removed.",
        (_always("pubsub", "stream_silent"),),
    ),
    Preset(
        "replay-lost",
        "The stored replay id is refused",
        "Every live stream ends, and the next subscription from a stored position is refused as corrupted.",
        (
            _once("pubsub", "replay_refused"),
            Spec(system="pubsub", kind="stream_cut", parameters={"status": "UNAVAILABLE"}, when="now"),
        ),
    ),
    Preset(
        "mail-greylisting",
        "The mail server wants to be asked again",
        "The next message is refused with 451. Once.",
        (_once("mail", "smtp_reply", code=451),),
    ),
    Preset(
        "mail-lost-answer",
        "The mail server loses its answer",
        "The next message is kept, and the connection ends before the server says so. Once.",
        (_once("mail", "drop", "message.accept", at="after"),),
    ),
)
PRESETS: Mapping[str, Preset] = {each.name: each for each in _ALL}
