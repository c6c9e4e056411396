"""The clock of the sandbox: moved by program, the same for every system, kept over a restart."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.config import Config
from sandbox.world import World
from tests.sandbox.core.conftest import Control

MINUTE = timedelta(minutes=1)


def near(moment: datetime, other: datetime) -> bool:
    return abs(moment - other) < MINUTE


def test_time_passes_for_every_system_at_once(world: World, control: Control) -> None:
    answer = control.post("/control/clock", {"advance_s": 3 * 86400}).json()
    later = datetime.now(UTC) + timedelta(days=3)
    assert near(datetime.fromisoformat(answer["now"]), later)
    assert answer["offset_s"] == 3 * 86400
    assert near(world.whmcs.server_now(), later)
    assert near(world.ledger.read("sandbox", "clock")[0].at, later)
    account = world.org.create("Account", {"Name": "Aiko"}, world.org.user_named("carol.suzuki@sonixnet.example"))
    assert world.org.existing("Account", account)["CreatedDate"].startswith(f"{later:%Y-%m-%dT%H:}")


def test_it_can_be_set_and_set_right_again(control: Control) -> None:
    control.post("/control/clock", {"set": "2030-04-01T09:00:00+09:00"})
    shown = datetime.fromisoformat(control.get("/control/clock").json()["now"])
    assert near(shown, datetime(2030, 4, 1, tzinfo=UTC))
    control.post("/control/clock", {"advance_s": -60.5})
    assert near(datetime.fromisoformat(control.get("/control/health").json()["now"]), shown - MINUTE)
    assert control.post("/control/clock", {"reset": True}).json()["offset_s"] == 0


def test_a_restart_keeps_the_time(world: World, control: Control) -> None:
    control.post("/control/clock", {"advance_s": 86400})
    world.close()
    again = World(Config(state=world.config.state))
    assert near(again.now(), datetime.now(UTC) + timedelta(days=1))
    again.clock.reset()
    again.close()
    assert World(again.config).clock.offset == timedelta()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"advance_s": "1"},
        {"advance_s": True},
        {"advance_s": 1e20},
        {"advance_s": 300_000_000_000},
        {"set": "noon"},
        {"set": "2030-04-01T09:00:00"},
        {"set": "9999-12-31T23:59:59Z"},
        {"set": 7},
        {"reset": False},
        {"advance_s": 1, "reset": True},
    ],
)
def test_what_it_cannot_do_it_says_and_stays(world: World, control: Control, body: dict[str, object]) -> None:
    answer = control.post("/control/clock", body)
    assert answer.status == 400
    assert answer.json()["error"][0].isalnum()
    assert world.clock.offset == timedelta()
    assert world.ledger.read("sandbox") == []
