"""Aiko's eSIM: ordered, delivered, topped up, moved to a new phone; and what the provider refuses."""

from datetime import timedelta
from typing import Any

import pytest

from sandbox.esim import api, numbers
from sandbox.pages import JAPAN
from sandbox.world import World
from tests.sandbox.esim.conftest import Client

EID = "89049032005108882600091234567884"
AIKO = {"line_ref": "aiko-line", "order_ref": "SX-4F7K2M", "plan": "data-10"}


def activate(provider: Client, key: str = "attempt-1", **asked: str) -> Any:
    return provider.post("/v1/activations", AIKO | asked, idempotency_key=key)


def change(provider: Client, what: str, key: str, **asked: str) -> Any:
    return provider.post(f"/v1/lines/aiko-line/{what}", asked, idempotency_key=key)


def accepted(world: World, kind: str = "activate") -> int:
    return len(world.ledger.read("esim", f"{kind}.accepted"))


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["code"]


def test_an_accepted_line_is_done_a_moment_later_with_number_card_and_code(provider: Client) -> None:
    answer = activate(provider, eid=EID)

    assert (answer.status, answer.json()["state"]) == (202, "accepted")
    assert provider.get(f"/v1/tickets/{answer.json()['ticket']}").json()["state"] == "done"
    line = provider.get("/v1/lines/aiko-line").json()
    assert (line["status"], line["eid"]) == ("active", EID)
    assert numbers.is_msisdn(line["msisdn"])
    assert line["iccid"][-1] == numbers.luhn_digit(line["iccid"][:-1])
    install = provider.get("/v1/lines/aiko-line/install-data").json()
    assert install["activation_code"] == f"LPA:1$smdp.sim.invalid${install['matching_id']}"


def test_the_same_key_acts_once_and_finds_its_ticket_again(provider: Client, world: World) -> None:
    first, second = activate(provider), activate(provider)

    assert first.json()["ticket"] == second.json()["ticket"]
    assert accepted(world) == 1
    found = provider.get("/v1/tickets", idempotency_key="attempt-1").json()["tickets"]
    assert [each["ticket"] for each in found] == [first.json()["ticket"]]
    assert provider.get("/v1/tickets", idempotency_key="other").json() == {"tickets": []}


def test_a_key_is_good_for_one_request_only(provider: Client) -> None:
    activate(provider)

    assert code_of(activate(provider, plan="data-50")) == (409, "IDEMPOTENCY_KEY_REUSED")


def test_another_key_does_not_make_a_second_line(provider: Client, world: World) -> None:
    activate(provider)

    assert code_of(activate(provider, "attempt-2")) == (409, "LINE_EXISTS")
    assert accepted(world) == 1


def test_a_slow_carrier_is_done_when_its_time_has_come(provider: Client, world: World) -> None:
    world.esim.configure(processing_s=600)
    ticket = activate(provider).json()["ticket"]
    assert code_of(provider.get("/v1/lines/aiko-line/install-data")) == (409, "ESIM_NOT_READY")

    world.clock.advance(timedelta(seconds=300))
    assert provider.get(f"/v1/tickets/{ticket}").json()["state"] == "processing"
    world.clock.advance(timedelta(seconds=301))

    assert provider.get(f"/v1/tickets/{ticket}").json()["state"] == "done"


def test_install_data_may_come_later_than_the_line(provider: Client, world: World) -> None:
    world.esim.configure(install_data_after_s=60)
    activate(provider)
    assert provider.get("/v1/lines/aiko-line").json()["status"] == "active"
    assert code_of(provider.get("/v1/lines/aiko-line/install-data")) == (409, "ESIM_NOT_READY")

    world.clock.advance(timedelta(seconds=61))

    assert provider.get("/v1/lines/aiko-line/install-data").status == 200


def test_with_the_clock_off_somebody_presses_the_button(provider: Client, buttons: Client) -> None:
    buttons.post("settings", {"processing_s": -1})
    ticket = activate(provider).json()["ticket"]
    buttons.post(f"tickets/{ticket}/finish", {})

    assert provider.get(f"/v1/tickets/{ticket}").json()["state"] == "done"
    assert buttons.post(f"tickets/{ticket}/finish", {}).status == 409
    assert buttons.post("tickets/T00000099/finish", {}).status == 404


def test_a_line_that_failed_after_being_accepted_may_be_ordered_again(provider: Client, buttons: Client) -> None:
    buttons.post("settings", {"processing_s": -1})
    ticket = activate(provider).json()["ticket"]
    buttons.post(f"tickets/{ticket}/fail", {"code": "EID_BLOCKED", "text": "The carrier knows this EID."})

    failed = provider.get(f"/v1/tickets/{ticket}").json()
    assert (failed["state"], failed["error"]["code"]) == ("failed", "EID_BLOCKED")
    assert code_of(provider.get("/v1/lines/aiko-line")) == (404, "LINE_NOT_FOUND")
    assert activate(provider, "attempt-2").status == 202


def test_a_reissue_changes_card_and_code_and_keeps_the_number(provider: Client) -> None:
    activate(provider)
    before = provider.get("/v1/lines/aiko-line").json()
    old_code = provider.get("/v1/lines/aiko-line/install-data").json()["activation_code"]

    assert change(provider, "reissue", "again", reason="new phone", new_eid=EID).status == 202

    after = provider.get("/v1/lines/aiko-line").json()
    assert after["msisdn"] == before["msisdn"]
    assert after["iccid"] != before["iccid"]
    assert provider.get("/v1/lines/aiko-line/install-data").json()["activation_code"] != old_code


def test_a_top_up_sent_twice_adds_its_data_once(provider: Client, buttons: Client) -> None:
    activate(provider)
    buttons.post("lines/aiko-line/use", {"bytes": 3_000_000_000})
    for _ in range(2):
        change(provider, "topups", "top-up-1", package="top-5")

    usage = provider.get("/v1/lines/aiko-line/usage").json()
    assert (usage["bytes_total"], usage["bytes_used"]) == (15_000_000_000, 3_000_000_000)


def test_a_provider_that_ignores_keys_acts_each_time(provider: Client, world: World) -> None:
    activate(provider)
    world.esim.configure(honours_keys=False)
    for _ in range(2):
        change(provider, "topups", "top-up-1", package="top-5")

    assert provider.get("/v1/lines/aiko-line/usage").json()["bytes_total"] == 20_000_000_000


def test_suspend_resume_and_terminate(provider: Client) -> None:
    activate(provider)
    change(provider, "suspend", "s", reason="lost phone")
    assert code_of(change(provider, "topups", "t", package="top-1")) == (409, "LINE_STATE")
    change(provider, "resume", "r", reason="found")
    change(provider, "plan", "p", plan="data-50")
    assert provider.get("/v1/lines/aiko-line").json()["plan"] == "data-50"
    change(provider, "terminate", "x", reason="cancelled")

    assert provider.get("/v1/lines/aiko-line").json()["status"] == "terminated"
    assert code_of(change(provider, "resume", "r2", reason="again")) == (409, "LINE_STATE")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"plan": "unlimited"}, "UNKNOWN_PLAN"),
        ({"eid": EID[:-1] + "5"}, "INVALID_EID"),
        ({"eid": "١" * 32}, "INVALID_EID"),
        ({"msisdn": "09012345678"}, "MNP_MISMATCH"),
        ({"msisdn": "0312345678", "mnp": "1234567890"}, "MNP_MISMATCH"),
        ({"order_ref": ""}, "MISSING_FIELD"),
        ({"colour": "red"}, "UNKNOWN_FIELD"),
        ({"identity_ref": "x" * 201}, "INVALID_FIELD"),
    ],
)
def test_a_wrong_request_is_refused_and_changes_nothing(
    provider: Client, world: World, asked: dict[str, str], code: str
) -> None:
    assert code_of(activate(provider, **asked)) == (422, code)
    assert len(world.esim.lines) == len(world.esim.tickets) == 0


def test_one_eid_and_one_number_belong_to_one_line(provider: Client) -> None:
    activate(provider, eid=EID, msisdn="09012345678", mnp="1234567890")

    other = {"line_ref": "ben-line"}
    assert code_of(activate(provider, "b1", eid=EID, **other)) == (409, "EID_IN_USE")
    assert code_of(activate(provider, "b2", msisdn="09012345678", mnp="9876543210", **other)) == (409, "MSISDN_IN_USE")


def test_what_a_provider_does_not_offer_it_refuses(provider: Client, world: World) -> None:
    activate(provider)
    world.esim.configure(capabilities=["activate"])

    assert provider.get("/v1/capabilities").json()["capabilities"] == ["activate"]
    assert code_of(change(provider, "reissue", "again", reason="new phone")) == (403, "NOT_SUPPORTED")
    assert code_of(provider.get("/v1/lines/aiko-line/usage")) == (403, "NOT_SUPPORTED")


def test_switches_refuse_once_before_and_once_after_accepting(provider: Client, world: World) -> None:
    world.esim.configure(reject="LIMIT_REACHED", fail="CARRIER_ERROR")

    assert code_of(activate(provider)) == (422, "LIMIT_REACHED")
    ticket = activate(provider).json()["ticket"]
    assert provider.get(f"/v1/tickets/{ticket}").json()["error"]["code"] == "CARRIER_ERROR"
    ticket = activate(provider, "attempt-2").json()["ticket"]
    assert provider.get(f"/v1/tickets/{ticket}").json()["state"] == "done"


@pytest.mark.parametrize(("hours", "status"), [(0, 503), (4, 404)])
def test_at_night_the_carrier_is_closed(provider: Client, world: World, hours: int, status: int) -> None:
    japan = world.now().astimezone(JAPAN)
    world.esim.configure(
        closed_from=f"{japan - timedelta(hours=1):%H:%M}", closed_until=f"{japan + timedelta(hours=2):%H:%M}"
    )
    world.clock.advance(timedelta(hours=hours))

    assert provider.get("/v1/lines/aiko-line").status == status


def test_without_the_key_nothing_is_told(world: World) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}):
        answer = Client(api.app(world), headers).get("/v1/capabilities")
        assert code_of(answer) == (401, "UNAUTHORIZED")


def test_the_ledger_holds_no_number_card_or_code(provider: Client, world: World) -> None:
    activate(provider, eid=EID)
    line = provider.get("/v1/lines/aiko-line").json()
    code = provider.get("/v1/lines/aiko-line/install-data").json()["activation_code"]

    written = repr(world.ledger.read("esim"))
    assert "SX-4F7K2M" in written
    for secret in (EID, line["iccid"], line["msisdn"], code, code.rsplit("$", 1)[1]):
        assert secret not in written


def test_state_survives_a_restart(provider: Client, world: World) -> None:
    world.esim.configure(processing_s=-1)
    ticket = activate(provider).json()["ticket"]
    config = world.config
    world.close()

    again = World(config)
    assert again.esim.ticket(ticket).state in ("accepted", "processing")
    assert again.esim.settings.processing_s == -1
    again.close()
