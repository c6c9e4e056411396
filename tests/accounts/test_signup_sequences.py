"""Whatever happens in whatever order: one Account, one Contact, one client and one link for each (issue of sign-up).

Sequences of people signing up, workers that die, outages, lost and late answers, a second tab, and support deciding.
"""

from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from accounts.models import SignupJourney
from integrations import gateway
from notifications.models import Email
from support.models import Case
from tests.accounts.conftest import fresh
from tests.accounts.world import EVE, KENJI, MARIA, NOA, NUMBER, ON_THE_ACCOUNT, PEOPLE, WEI, Trouble, World, new_world

pytestmark = pytest.mark.django_db
State = SignupJourney.State

people = st.sampled_from(PEOPLE)
numbers = st.sampled_from([NUMBER, NUMBER, "999999", ""])
troubles = st.builds(
    Trouble, st.integers(1, 22), st.sampled_from(["die", "outage", "refused", "late", "meanwhile", "meanwhile"])
)
steps = st.one_of(
    st.tuples(st.just("sign_up"), people, numbers),
    st.tuples(st.just("work"), people),
    st.tuples(st.just("work"), people, troubles, people),
    st.tuples(st.just("work"), people, troubles, people),
    st.tuples(st.just("time_passes")),
    st.tuples(st.just("other_number"), people, st.sampled_from([NUMBER, "888888"])),
    st.tuples(st.sampled_from(["as_new", "accept", "reject", "resume"]), people),
)
worlds = st.fixed_dictionaries(
    {"client_named": st.booleans(), "client_known": st.booleans(), "numbers_at_once": st.booleans()}
)
first = st.permutations([("sign_up", who, "" if who == NOA else NUMBER) for who in (MARIA, KENJI, WEI, EVE, NOA)])


def play(world: World, sequence: list[tuple[Any, ...]]) -> None:
    for what, *about in sequence:
        getattr(world, what)(*about)
        nobody_has_too_much(world)
    world.settle()


def nobody_has_too_much(world: World) -> None:
    """At every moment, whoever is where."""
    mine = world.marias()
    assert len(mine) <= 1
    assert set(mine) <= {*ON_THE_ACCOUNT, *world.accepted}
    by_number = Counter(client.custom_fields.get(12, "") for client in world.whmcs.clients)
    by_email = Counter(client.email for client in world.whmcs.clients)
    assert {number: n for number, n in by_number.items() if number and n > 1} == {}
    assert {email: n for email, n in by_email.items() if n > 1} == {}
    if not mine and not world.accepted and not set(ON_THE_ACCOUNT) & set(world.signed_up):
        (hers,) = (each for each in world.salesforce.accounts if each.number == NUMBER)
        assert (hers.whmcs_client in {"", "55"}, hers.portal_status) == (True, ""), "nobody entitled has been here"


def everybody_is_one_customer(world: World) -> None:
    """In the end, when everything works again and support has decided."""
    links = [world.link_of(who) for who in world.signed_up]
    assert [fresh(journey).state for journey in world.signed_up.values()] == [State.DONE] * len(links)
    for name in ("sf_account_id", "sf_contact_id", "sf_account_no", "whmcs_client_id"):
        assert len({getattr(link, name) for link in links}) == len(links), name
    accounts = {each.id: each for each in world.salesforce.accounts}
    assert len(accounts) == 1 + len(world.salesforce.refs), "every other Account has a journey's reference"
    assert {link.sf_account_id for link in links if link} | {_marias_id(world)} == set(accounts), "none is left over"
    for who, link in zip(world.signed_up, links, strict=True):
        assert link is not None
        assert link.state == "linked"
        assert accounts[link.sf_account_id].whmcs_client == str(link.whmcs_client_id)
        (client,) = (each for each in world.whmcs.clients if each.id == link.whmcs_client_id)
        assert client.custom_fields[12] == link.sf_account_no
        assert Email.objects.filter(template="welcome", user_id=link.user_id).count() == 1, who


def _marias_id(world: World) -> str:
    return next(each.id for each in world.salesforce.accounts if each.number == NUMBER)


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),  # to make a failing sequence short takes longer than to read it
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(start=first, sequence=st.lists(steps, min_size=4, max_size=14), about=worlds)
@example(
    start=[("sign_up", MARIA, NUMBER), ("sign_up", KENJI, NUMBER)],
    sequence=[("work", MARIA, Trouble(2, "meanwhile"), KENJI)],
    about={},
)
@example(
    start=[("sign_up", WEI, NUMBER), ("sign_up", EVE, NUMBER)],
    sequence=[("work", WEI), ("work", EVE), ("accept", WEI), ("accept", EVE), ("work", EVE), ("work", WEI)],
    about={},
)
def test_whatever_happens_everybody_is_one_customer(
    monkeypatch: pytest.MonkeyPatch, start: list[Any], sequence: list[Any], about: dict[str, bool]
) -> None:
    world = new_world(**about)
    monkeypatch.setattr(gateway, "salesforce", lambda: world.salesforce)
    monkeypatch.setattr(gateway, "whmcs", lambda: world.whmcs)
    with transaction.atomic():
        play(world, [*start, *sequence])
        everybody_is_one_customer(world)
        assert len(set(Case.objects.values_list("cause", flat=True))) == Case.objects.count()
        transaction.set_rollback(True)
