"""Who came, who was turned away, and what staff decided, as the trail tells it afterwards."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import SignupJourney, User
from audit.models import AuditEntry
from tests.people import PASSWORD, Staff, make_user, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def sign_in(visitor: Client, email: str, password: str) -> None:
    visitor.post(reverse("account_login"), {"login": email, "password": password}, REMOTE_ADDR="192.0.2.7")


def test_a_sign_in_and_a_sign_out_are_written_down_with_the_address(visitor: Client, aiko: User) -> None:
    sign_in(visitor, aiko.email, PASSWORD)
    visitor.post(reverse("account_logout"), REMOTE_ADDR="192.0.2.8")

    out, came = AuditEntry.objects.all()[:2]
    assert [(each.action, each.actor_id, each.user_id, each.ip) for each in (came, out)] == [
        ("signed_in", aiko.pk, aiko.pk, "192.0.2.7"),
        ("signed_out", aiko.pk, aiko.pk, "192.0.2.8"),
    ]


@pytest.mark.parametrize("known", [True, False])
def test_a_refused_password_is_written_down_without_what_was_typed(visitor: Client, aiko: User, known: bool) -> None:
    typed = aiko.email if known else "nobody@example.jp"
    sign_in(visitor, typed, "not the password")

    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.user_id) == ("sign_in_refused", None, aiko.pk if known else None)
    assert typed not in str(entry.__dict__)
    assert "not the password" not in str(entry.__dict__)


def test_what_staff_decide_about_a_sign_up_is_theirs_to_answer_for(cs_carol: Staff) -> None:
    user = make_user("wei@example.jp")
    journey = SignupJourney.objects.create(user=user, kind="new", source="Portal Signup", state="running")
    staff = signed_in(cs_carol.user)
    staff.post(
        reverse("admin:accounts_signupjourney_changelist"),
        {"action": "advance_now", "_selected_action": [journey.pk]},
    )

    entry = AuditEntry.objects.get(action="signup.resume")
    assert (entry.actor_id, entry.user_id, entry.subject) == (cs_carol.user.pk, user.pk, f"journey:{journey.pk}")
