"""The ways an order can go without any crash; together they lead past every point of provisioning and journal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Circumstance:
    """`faults` are rules of the sandbox, `settings` switches of its WHMCS; the rest is done by the driver."""

    faults: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    usual: Mapping[str, Any] = field(default_factory=dict)  # what the settings are otherwise
    esim: Mapping[str, Any] = field(default_factory=dict)  # settings of the eSIM provider
    goods: str = ""  # what is ordered, when it is not for the seed to choose
    before: str = ""  # what the driver does to the order before it is approved
    button: str = ""  # what staff press when the attempt is UNKNOWN or has failed
    worker_plan: str = ""  # how the first worker dies, so that the others find what it left
    cancel_when: str = ""  # the customer cancels when the attempt is in this state
    no_subscriber: bool = False  # events are not received until the end


def _rule(system: str, kind: str, operation: str, part: str = "", **parameters: Any) -> Mapping[str, Any]:
    match = {"part": part} if part else {}
    rule = {"system": system, "kind": kind, "operation": operation, "parameters": parameters, "when": "once"}
    return {**rule, "match": match}


REQUEST_LOST = _rule("whmcs", "drop", "AddOrder", at="before", how="close")
CIRCUMSTANCES: Mapping[str, Circumstance] = {
    "plain": Circumstance(),
    "refused": Circumstance((_rule("whmcs", "action_error", "AddOrder", message="Unable to add order"),)),
    "unknown": Circumstance((REQUEST_LOST,)),
    "answer lost": Circumstance((_rule("whmcs", "drop", "AddOrder", at="after", how="close"),)),
    "module fails": Circumstance((_rule("whmcs", "module_failure", "module.create", text="The line is not ready"),)),
    "no module": Circumstance(settings={"moduleless_stays_pending": True}, usual={"moduleless_stays_pending": False}),
    "two orders": Circumstance(before="two orders"),
    "other items": Circumstance(before="other items"),
    "cancelled there": Circumstance(before="cancelled there", button="create_anew"),
    "events lost": Circumstance(no_subscriber=True),
    "report lost": Circumstance(
        (_rule("salesforce", "http_error", "composite", at="before", status=503),), before="report lost"
    ),
    "opportunity refused": Circumstance(
        (
            _rule(
                "salesforce",
                "sub_request_fails",
                "composite",
                "opportunity",
                code="FIELD_INTEGRITY_EXCEPTION",
                message="locked",
            ),
        )
    ),
    "position lost": Circumstance((_rule("pubsub", "replay_refused", "Subscribe"),)),
    "stream breaks": Circumstance((_rule("pubsub", "stream_cut", "deliver", at="before"),)),
    "staff look": Circumstance((REQUEST_LOST,), button="look_again"),
    "staff release": Circumstance((REQUEST_LOST,), button="release"),
    "staff fail": Circumstance((REQUEST_LOST,), button="mark_failed"),
    "staff ask": Circumstance((_rule("whmcs", "action_error", "AddOrder", message="No"),), button="request_again"),
    "staff pause": Circumstance((_rule("whmcs", "action_error", "AddOrder", message="No"),), button="pause"),
    "cancelled under way": Circumstance(cancel_when="RUNNING"),
    "cancelled after a failure": Circumstance(
        (_rule("whmcs", "module_failure", "module.create", text="The line is not ready"),), cancel_when="FAILED"
    ),
    "cancelled while unknown": Circumstance(
        (_rule("whmcs", "drop", "AcceptOrder", at="before", how="close"),), cancel_when="UNKNOWN"
    ),
    "whmcs away": Circumstance((_rule("whmcs", "refuse", "connect", how="reset"),)),
    "esim": Circumstance(goods="esim", esim={"processing_s": 1.5}),
    "esim at once": Circumstance(goods="esim"),
    "esim ticket fails": Circumstance(goods="esim", esim={"processing_s": 0.5, "fail": "CARRIER_ERROR"}),
    "esim refused": Circumstance(goods="esim", esim={"reject": "CARRIER_ERROR"}),
    "esim answer lost": Circumstance(
        (_rule("esim", "drop", "activate", at="after", how="close"),), goods="esim", esim={"processing_s": 1.5}
    ),
    "esim request lost": Circumstance((_rule("esim", "drop", "activate", at="before", how="close"),), goods="esim"),
    "esim cancelled while waiting": Circumstance(goods="esim", esim={"processing_s": 2}, cancel_when="WAITING"),
    "worker dies": Circumstance(worker_plan="whmcs.AddOrder:after=kill"),
}
