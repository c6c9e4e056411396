"""The eSIM provider's client on the wire: what it reads, what it raises, and what the provider did meanwhile."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from integrations import gateway
from integrations.errors import Misconfigured, OutsideError, Rejected, Unavailable, UnknownOutcome
from integrations.esim.client import HttpProvider
from integrations.esim.schemas import Ticket
from integrations.http import Caller
from tests.faults import Faults
from tests.integrations.far_side import FarSide, answer
from tests.sandbox_process import Buttons, Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
_lines = itertools.count(1)
ACTIVATE = ("esim", "activate")

Wrong = Callable[[Faults], object]
TABLE: dict[str, tuple[Wrong, type[OutsideError], int]] = {
    "the answer is lost": (lambda faults: faults.lose_answer(*ACTIVATE), UnknownOutcome, 1),
    "the request is lost": (lambda faults: faults.lose_request(*ACTIVATE), UnknownOutcome, 0),
    "nobody listens": (lambda faults: faults.close_port("esim"), Unavailable, 0),
    "a page with status 200": (lambda faults: faults.html(*ACTIVATE, status=200, at="after"), UnknownOutcome, 1),
    "a bad gateway": (lambda faults: faults.http_error(*ACTIVATE, status=502, at="after"), UnknownOutcome, 1),
    "a page with status 503": (lambda faults: faults.html(*ACTIVATE, status=503, at="after"), UnknownOutcome, 1),
    "a page with status 404": (lambda faults: faults.html(*ACTIVATE, status=404), UnknownOutcome, 0),
    "half an answer": (lambda faults: faults.answer("esim", "truncate", "activate"), UnknownOutcome, 1),
    "no body": (lambda faults: faults.answer("esim", "empty", "activate"), UnknownOutcome, 0),
    "a redirect": (lambda faults: faults.redirect(*ACTIVATE, to="https://attacker.invalid/"), UnknownOutcome, 0),
}


def line_ref() -> str:
    return f"80100000000{next(_lines):04d}AAA"


def activate(ref: str, *, idem_key: str = "", plan: str = "data-10") -> Ticket:
    return gateway.esim().activate(idem_key=idem_key or f"{ref}:1", line_ref=ref, order_ref=ref[:18], plan=plan)


def lines(sandbox: Buttons, ref: str) -> list[dict[str, Any]]:
    return [each for each in sandbox.get("/control/esim/state")["lines"] if each["line_ref"] == ref]


@pytest.mark.parametrize(("wrong", "raised", "made"), TABLE.values(), ids=TABLE)
def test_what_went_wrong_is_told_by_what_may_have_happened(
    faults: Faults, wrong: Wrong, raised: type[OutsideError], made: int
) -> None:
    ref = line_ref()
    wrong(faults)
    with pytest.raises(OutsideError) as caught:
        activate(ref)
    assert type(caught.value) is raised
    faults.clear()
    assert len(lines(faults.sandbox, ref)) == made
    assert activate(ref).line_ref == ref
    assert len(lines(faults.sandbox, ref)) == 1


def test_the_same_key_gives_the_same_ticket_and_the_ticket_ends_in_a_line(sandbox: Sandbox) -> None:
    ref = line_ref()
    first, second = activate(ref), activate(ref)
    assert first.ref == second.ref
    assert [each.ref for each in gateway.esim().tickets(f"{ref}:1")] == [first.ref]
    ticket, line = gateway.esim().ticket(first.ref), gateway.esim().line(ref)
    assert ticket is not None
    assert ticket.state == "done"
    assert line is not None
    assert (line.is_live, line.iccid[:2]) == (True, "89")


def test_what_the_provider_does_not_know_is_none(sandbox: Sandbox) -> None:
    assert gateway.esim().line("801000000009999AAA") is None
    assert gateway.esim().ticket("T99999999") is None
    assert gateway.esim().tickets("never:1") == []


def test_a_refusal_keeps_the_providers_code(sandbox: Sandbox) -> None:
    with pytest.raises(Rejected) as caught:
        activate(line_ref(), plan="data-of-yesterday")
    assert caught.value.code == "UNKNOWN_PLAN"


def test_a_failed_ticket_says_why(sandbox: Sandbox) -> None:
    sandbox.control("/control/esim/settings", {"fail": "CARRIER_BUSY"})
    ref = line_ref()
    ticket = gateway.esim().ticket(activate(ref).ref)
    assert ticket is not None
    assert ticket.error is not None
    assert (ticket.state, ticket.error.code, ticket.error.retryable) == ("failed", "CARRIER_BUSY", False)
    assert gateway.esim().line(ref) is None


def test_a_provider_that_is_closed_has_certainly_accepted_nothing(sandbox: Sandbox) -> None:
    sandbox.control("/control/esim/settings", {"closed_from": "00:00", "closed_until": "24:00"})
    try:
        with pytest.raises(Unavailable) as caught:
            activate(line_ref())
    finally:
        sandbox.control("/control/esim/settings", {"closed_from": "", "closed_until": ""})
    assert caught.value.code == "maintenance"


def test_a_wrong_key_is_for_us_to_mend(sandbox: Sandbox, settings: Any) -> None:
    settings.ESIM_API_KEY = "of-yesterday"
    gateway.forget()
    with pytest.raises(Misconfigured) as caught:
        activate(line_ref())
    assert caught.value.code == "credentials"


def test_without_an_address_there_is_no_provider() -> None:
    gateway.forget()
    with pytest.raises(Misconfigured) as caught:
        gateway.esim()
    assert caught.value.code == "not_configured"


@pytest.mark.parametrize(
    "body", [b"[]", b'{"ticket": "T1"}', b'{"ticket": "", "line_ref": "x", "state": "done"}', b"{"]
)
def test_an_answer_of_another_shape_is_no_answer(far: FarSide, caller: Caller, body: bytes) -> None:
    provider = HttpProvider(caller=caller, url=far.url, key="k")
    far.will(answer(body, "202 Accepted"))
    with pytest.raises(UnknownOutcome):
        provider.activate(idem_key="a:1", line_ref="a", order_ref="a", plan="data-10")
    with pytest.raises(Misconfigured):
        provider.ticket("T1")


def test_a_refusal_is_told_without_what_it_says_about_people(far: FarSide, caller: Caller) -> None:
    far.will(
        answer(b'{"error": {"code": "EID_IN_USE", "message": "89049032005108882600091234567884"}}', "409 Conflict")
    )
    with pytest.raises(Rejected) as caught:
        HttpProvider(caller=caller, url=far.url, key="k").line("a")
    assert (caught.value.code, "8904" in str(caught.value)) == ("EID_IN_USE", False)


def test_too_many_requests_are_to_be_waited_for(far: FarSide, caller: Caller) -> None:
    far.will(answer(b"", "429 Too Many Requests"))
    with pytest.raises(Unavailable) as caught:
        HttpProvider(caller=caller, url=far.url, key="k").activate(
            idem_key="a:1", line_ref="a", order_ref="a", plan="data-10"
        )
    assert caught.value.code == "rate_limit"
