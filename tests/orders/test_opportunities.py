"""Which Opportunity an order takes, and what a cancelled order leaves behind: every case of the rules."""

import pytest

from orders.opportunities import match, stage_after_cancel
from tests.orders.doubles import opportunity

HOME, CORPORATE = "Personal SonixNet Home Internet", "Corporate SonixNet Home Internet"
ELIGIBILITY, PLACING, BY_HAND = "Portal - Internet Eligibility Request", "Portal - Order Placement", "Sales - Manual"
MOVED_ON = ["Introduction", "Ready", "Active", "△Cancelling", "〇Cancelled", "Void", "Closed Won", ""]
STAGES = [*MOVED_ON, "Post Processing"]


@pytest.mark.parametrize(
    ("candidates", "commodity", "taken", "matched"),
    [
        ([], "SIM", set(), None),
        ([opportunity("a")], "SIM", set(), "a"),
        ([opportunity("a", "Introduction")], "SIM", set(), "a"),
        ([opportunity("a", commodity="VPN")], "SIM", set(), None),
        ([opportunity("a", commodity=HOME)], HOME, set(), "a"),
        ([opportunity("a", commodity=CORPORATE)], HOME, set(), "a"),
        ([opportunity("a", commodity=HOME)], "VPN", set(), None),
        ([opportunity("old"), opportunity("new", minute=5)], "SIM", set(), "new"),
        ([opportunity("new", minute=5), opportunity("old")], "SIM", set(), "new"),
        ([opportunity("a", "Introduction", minute=5), opportunity("b", "Ready")], "SIM", set(), "a"),
        ([opportunity("a", commodity=CORPORATE, minute=5), opportunity("b", commodity=HOME)], HOME, set(), "a"),
        ([opportunity("a", commodity=CORPORATE), opportunity("b", commodity=HOME, minute=5)], HOME, set(), "b"),
        ([opportunity("old"), opportunity("new", minute=5)], "SIM", {"new"}, "old"),
        ([opportunity("old"), opportunity("new", minute=5)], "SIM", {"new", "old"}, None),
        ([opportunity("open"), opportunity("void", "Void", minute=5)], "SIM", set(), "open"),
        ([opportunity("a"), opportunity("b")], "SIM", set(), "b"),  # the same moment: still one and the same
        ([opportunity("b"), opportunity("a")], "SIM", set(), "b"),
    ],
)
def test_the_newest_open_one_of_the_commodity_that_nobody_has(
    candidates: list[object], commodity: str, taken: set[str], matched: str | None
) -> None:
    found = match(candidates, commodity=commodity, taken=taken)  # type: ignore[arg-type]
    assert (found.id if found else None) == matched


@pytest.mark.parametrize("stage", STAGES)
def test_only_open_stages_match(stage: str) -> None:
    found = match([opportunity("a", stage)], commodity="SIM", taken=())
    assert (found is not None) is (stage in {"Introduction", "Ready"})


@pytest.mark.parametrize(
    ("source", "ref", "stage"),
    [
        (PLACING, "mine", "Void"),
        (PLACING, "another order's", ""),
        (PLACING, "", ""),
        (ELIGIBILITY, "", "Ready"),
        (ELIGIBILITY, "of the request", "Ready"),
        (BY_HAND, "", ""),
        ("", "", ""),
    ],
)
def test_what_a_cancelled_order_leaves(source: str, ref: str, stage: str) -> None:
    left = opportunity("a", "Post Processing", source=source, ref=ref)
    assert stage_after_cancel(left, portal_ref="mine") == stage


@pytest.mark.parametrize("source", [PLACING, ELIGIBILITY, BY_HAND])
@pytest.mark.parametrize("stage", MOVED_ON)
def test_what_a_person_or_an_activation_moved_on_is_never_touched(stage: str, source: str) -> None:
    assert stage_after_cancel(opportunity("a", stage, source=source, ref="mine"), portal_ref="mine") == ""


def test_a_corporate_one_stays_corporate_when_the_order_is_cancelled() -> None:
    left = opportunity("a", "Post Processing", source=ELIGIBILITY, commodity=CORPORATE)
    assert stage_after_cancel(left, portal_ref="mine") == "Ready"
