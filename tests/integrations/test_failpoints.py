"""Failpoints: where a process is told to die, and that nobody else's is."""

import os
import signal
import subprocess
import sys

import pytest

from integrations import failpoints
from integrations.failpoints import Died, arm, around, reach


def test_a_point_without_a_plan_does_nothing() -> None:
    with arm("journey.account:after=raise"), around("journey.client"):
        reach("journey.account:before")


def test_the_second_passing_dies_and_the_third_does_not() -> None:
    with arm("journey.account:after=raise@2") as (plan,):
        reach("journey.account:after")
        with pytest.raises(Died):
            reach("journey.account:after")
        reach("journey.account:after")
    assert plan.passed == 3
    reach("journey.account:after")


def test_the_point_after_is_not_reached_by_what_failed() -> None:
    with arm("whmcs.AddClient:after=raise") as (plan,), pytest.raises(LookupError), around("whmcs.AddClient"):
        raise LookupError
    assert plan.passed == 0


def test_a_test_may_say_itself_what_happens() -> None:
    happened: list[str] = []
    with arm("journey.account:before=call", lambda: happened.append("here")), around("journey.account"):
        assert happened == ["here"]


@pytest.mark.parametrize(
    "text", ["a:before=call", "whmcs.AddOrder=kill", "a:before=sleep", "a:before=kill@0", "a:before=kill,b"]
)
def test_a_plan_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="failpoint"):
        failpoints.parse(text)


PROGRAM = (
    "import os; from integrations import failpoints; {switch}; failpoints.reach('whmcs.AddOrder:after'); print('alive')"
)


@pytest.mark.parametrize(
    ("switch", "status", "said"),
    [("failpoints.switch_on(os.environ['FAILPOINTS'])", -signal.SIGKILL, ""), ("0", 0, "alive\n")],
)
def test_the_environment_alone_kills_nobody(switch: str, status: int, said: str) -> None:
    program = [sys.executable, "-c", PROGRAM.format(switch=switch)]
    environment = os.environ | {"FAILPOINTS": "whmcs.AddOrder:after=kill"}
    ended = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (status, said)
