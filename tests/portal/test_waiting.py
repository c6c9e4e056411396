"""Sign-ups that do not finish and what is not sent can be seen: in metrics, on a page of staff, in their lists."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts import journeys, signup
from accounts.models import ProfileSync, SignupJourney, User
from accounts.profile import syncing
from accounts.profile.saving import save_mails
from accounts.security import support
from notifications import outgoing
from notifications.models import Email
from portal.metrics.collector import collector
from support import cases
from support.models import Case
from tests.people import make_customer, make_staff, make_user, signed_in

pytestmark = pytest.mark.django_db
NOW = "/admin/provisioning/now/"


def ago(model: type[Model], field: str, **age: int) -> None:
    model._default_manager.update(**{field: timezone.now() - timedelta(**age)})


def metrics(client: Client) -> dict[tuple[str, str], float]:
    """(name, value of its only label) -> sample; ages in whole hours."""
    collector.forget()
    found = {}
    for family in text_string_to_metric_families(client.get("/metrics").content.decode()):
        for sample in family.samples if family.name.startswith(("portal_signups", "portal_unsent")) else ():
            (label,) = sample.labels.values()
            found[sample.name, label] = sample.value // (3600 if sample.name.endswith("_seconds") else 1)
    return found


def numbers(client: Client) -> dict[str, tuple[str, str]]:
    return {each.label: (each.value, each.kind) for each in client.get(NOW).context["customers"]}


def journey(email: str) -> SignupJourney:
    made = signup.start(user=make_user(email), claimed_number="", from_checkout=False)
    signup.begin(made.user)
    return made


def test_sign_ups_that_do_not_finish_are_counted_with_the_age_of_their_state(client: Client) -> None:
    journey("chie@example.jp")
    ago(SignupJourney, "state_since", hours=5)
    ago(SignupJourney, "created_at", days=9)
    for email in ("wei@example.jp", "maria@example.jp"):
        journeys.transition(journey(email).pk, "waiting_cs")
    SignupJourney.objects.filter(user__email="wei@example.jp").update(state_since=timezone.now() - timedelta(hours=49))

    found = metrics(client)

    assert (found["portal_signups", "running"], found["portal_signups", "waiting_cs"]) == (1, 2)
    assert found["portal_signups_oldest_seconds", "running"] == 5
    assert found["portal_signups_oldest_seconds", "waiting_cs"] == 49
    shown = numbers(signed_in(make_staff().user))
    assert shown["Sign-ups under way"] == ("1", "bad")
    assert shown["Sign-ups that wait for support"] == ("2", "bad")

    support.disable(User.objects.get(email="maria@example.jp"))  # nobody waits for it any more
    assert metrics(client)["portal_signups", "waiting_cs"] == 1

    journeys.transition(SignupJourney.objects.get(user__email="wei@example.jp").pk, "running")
    assert metrics(client)["portal_signups_oldest_seconds", "waiting_cs"] == 0


def test_what_is_not_sent_is_counted_by_kind_from_its_oldest(client: Client, aiko: User) -> None:
    kinds = ("profile", "mail", "case")
    assert {metrics(client)[f"portal_unsent{what}", kind] for what in ("", "_oldest_seconds") for kind in kinds} == {0}
    save_mails(aiko, language="ja")
    save_mails(make_user("unlinked@example.jp"), language="ja")  # waits for the sign-up, which is counted itself
    outgoing.queue(cause="c", template="welcome", to="a@example.jp", user_id=None, language="en", context={})
    cases.open_case(cause="x", kind="General Inquiry", subject="S", description="D")
    for model, field, hours in ((ProfileSync, "due_since", 2), (Email, "created_at", 3), (Case, "created_at", 4)):
        ago(model, field, hours=hours)
    save_mails(aiko, language="en")  # a newer change does not make the older one young

    found = metrics(client)

    assert [found["portal_unsent", kind] for kind in kinds] == [1, 1, 1]
    assert [found["portal_unsent_oldest_seconds", kind] for kind in kinds] == [2, 3, 4]
    shown = numbers(signed_in(make_staff().user))
    assert [shown[label] for label in ("Changed details not sent", "E-mails not sent", "Cases not in Salesforce")] == [
        ("1", "bad")
    ] * 3
    Email.objects.update(state="sent")
    Case.objects.update(state="opened")
    syncing._settle(ProfileSync.objects.get(user=aiko))
    assert {metrics(client)["portal_unsent", kind] for kind in kinds} == {0}


def row_of(user: User, **fields: Any) -> ProfileSync:
    return ProfileSync.objects.create(user=user, parts=["names"], **fields)


def test_support_sees_what_was_not_sent_and_sends_it_again() -> None:
    done, waiting, refused, unlinked = (
        row_of(make_customer("done@example.jp"), wanted=1, whmcs_has=1, salesforce_has=1),
        row_of(make_customer("waiting@example.jp"), next_try_at=timezone.now() + timedelta(hours=1), tries=9),
        row_of(make_customer("refused@example.jp"), whmcs_has=1, error_code="invalid"),
        row_of(make_user("unlinked@example.jp"), next_try_at=timezone.now()),
    )
    agent, page = signed_in(make_staff().user), reverse("admin:accounts_profilesync_changelist")

    def listed(which: str) -> set[int]:
        return {row.pk for row in agent.get(page, {"sent": which}).context["cl"].result_list}

    assert (listed("no"), listed("refused")) == ({waiting.pk}, {refused.pk})

    everything = [row.pk for row in (done, waiting, refused, unlinked)]
    agent.post(page, {"action": "try_again", "_selected_action": everything})

    assert listed("no") == {waiting.pk, refused.pk}
    for row in (waiting, refused):
        row.refresh_from_db()
        assert row.next_try_at
        assert row.next_try_at <= timezone.now()
        assert row.tries == 0
    done.refresh_from_db()
    assert done.next_try_at is None
    links = [number.href for number in agent.get(NOW).context["customers"]]
    assert [agent.get(link).status_code for link in links] == [200] * 5
