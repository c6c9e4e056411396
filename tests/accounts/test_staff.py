"""Staff: the second factor, the admin lists, what may be done there."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from accounts.models import CustomerLink, SignupJourney, User
from audit import trail
from audit.models import AuditEntry
from notifications import outgoing
from notifications.models import Email
from support import cases
from tests.accounts.conftest import fresh, new_journey, run
from tests.accounts.doubles import Salesforce, Whmcs, account
from tests.people import PASSWORD, Staff, make_customer, make_staff, signed_in

pytestmark = pytest.mark.django_db
OF_ACCOUNTS = [f"accounts_{name}" for name in ("user", "customerlink", "signupjourney", "profilesync")]
OURS = [*OF_ACCOUNTS, "notifications_email", "support_case"]


def lists() -> list[str]:
    return [reverse(f"admin:{name}_changelist") for name in OURS]


def test_staff_without_a_second_factor_open_no_staff_page() -> None:
    browser = signed_in(make_staff(with_totp=False).user)

    for model in admin.site._registry:
        url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        assert browser.get(url).url == reverse("mfa_activate_totp")  # type: ignore[attr-defined]
    assert browser.get(reverse("admin:index")).url == reverse("mfa_activate_totp")  # type: ignore[attr-defined]


def test_staff_with_one_do(cs_carol: Staff) -> None:
    browser = signed_in(cs_carol.user)

    for url in [reverse("admin:index"), *lists()]:
        assert browser.get(url).status_code == 200, url


def test_customers_do_not_even_with_a_second_factor(aiko: User, visitor: Client) -> None:
    for browser in (signed_in(aiko), visitor):
        assert browser.get(reverse("admin:accounts_user_changelist")).status_code == 302


def test_the_password_alone_does_not_sign_staff_in(cs_carol: Staff) -> None:
    browser = Client()
    answer = browser.post(reverse("account_login"), {"login": cs_carol.user.email, "password": PASSWORD})
    assert answer.url == reverse("mfa_authenticate")  # type: ignore[attr-defined]
    assert browser.get(reverse("admin:index")).status_code == 302

    browser.post(reverse("mfa_authenticate"), {"code": cs_carol.code()})

    assert browser.get(reverse("admin:index")).status_code == 200


def test_the_admin_has_no_sign_in_of_its_own(visitor: Client) -> None:
    answer = visitor.get(reverse("admin:login"))

    assert answer.status_code == 302
    assert answer.url.startswith(reverse("account_login"))  # type: ignore[attr-defined]


def test_staff_change_their_password_as_customers_do(cs_carol: Staff) -> None:
    answer = signed_in(cs_carol.user).get(reverse("admin:password_change"))

    assert answer.url == reverse("account_change_password")  # type: ignore[attr-defined]


def test_the_secret_of_the_app_is_encrypted(cs_carol: Staff) -> None:
    from allauth.mfa.models import Authenticator

    stored = Authenticator.objects.get(user=cs_carol.user).data

    assert cs_carol.totp_secret not in str(stored)


@pytest.mark.parametrize("what", ["aiko@ex", "Sato", "104882", "7001", "001TEST00000001AAA"])
def test_a_customer_is_found_by_any_name_or_number(cs_carol: Staff, what: str) -> None:
    make_customer("aiko@example.jp", sf_account_id="001TEST00000001AAA", sf_account_no="104882", whmcs_client_id=7001)
    make_customer("ben@example.jp", given_name="Ben", family_name="Ito")
    browser = signed_in(cs_carol.user)

    for name in ("accounts_user", "accounts_customerlink"):
        page = browser.get(reverse(f"admin:{name}_changelist"), {"q": what}).content.decode()
        assert "aiko@example.jp" in page
        assert "104882" in page
        assert "ben@example.jp" not in page


def test_lists_cost_the_same_for_one_and_for_many(cs_carol: Staff, django_assert_max_num_queries: Any) -> None:
    for _ in range(12):
        make_customer()
    browser = signed_in(cs_carol.user)
    for url in lists():
        with django_assert_max_num_queries(9):
            browser.get(url)


def test_nothing_can_be_deleted_or_added(cs_carol: Staff, aiko: User) -> None:
    browser = signed_in(cs_carol.user)
    assert browser.get(reverse("admin:accounts_user_delete", args=[aiko.pk])).status_code == 403
    assert browser.get(reverse("admin:accounts_user_add")).status_code == 403


def test_agents_cannot_make_staff_of_anybody(aiko: User) -> None:
    lead = make_staff("lead@example.jp", group="CS lead").user
    operators = Group.objects.get(name="Operator")

    inline = {f"eligibility_requests-{what}_FORMS": 0 for what in ("TOTAL", "INITIAL")}
    answer = signed_in(lead).post(
        reverse("admin:accounts_user_change", args=[aiko.pk]),
        {"is_staff": "on", "is_superuser": "on", "groups": [operators.pk], "email": "evil@example.jp", **inline},
    )
    assert answer.status_code == 302, answer.context["errors"]  # the form was whole; its fields count for nothing

    aiko.refresh_from_db()
    assert (aiko.is_staff, aiko.is_superuser, aiko.email) == (False, False, "aiko@example.jp")
    assert not aiko.groups.exists()


def test_the_page_of_a_user_shows_no_password_hash(cs_carol: Staff, aiko: User) -> None:
    page = signed_in(cs_carol.user).get(reverse("admin:accounts_user_change", args=[aiko.pk])).content.decode()

    assert "aiko@example.jp" in page
    assert "argon2" not in page


def act(browser: Client, name: str, action: str, pk: int, **more: str) -> Any:
    data = {"action": action, "_selected_action": [pk], **more}
    return browser.post(reverse(f"admin:{name}_changelist"), data, follow=True)


def test_support_decides_on_a_claim(cs_carol: Staff, salesforce: Salesforce, whmcs: Whmcs) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    journey = run(new_journey("ben@example.jp", number="104882"))
    browser = signed_in(cs_carol.user)

    def decide(action: str, **more: str) -> str:
        return str(act(browser, "accounts_signupjourney", action, journey.pk, **more).content.decode())

    asked = [decide("accept_claims"), decide("accept_claims", reason="x"), decide("accept_claims", confirmed="yes")]
    for page in [*asked, decide("reject_claims", confirmed="yes", reason=" ")]:
        assert "ben@example.jp&gt; says that customer number 104882 is theirs" in page
        assert 'name="reason"' in page
    assert "becomes this Account&#x27;s customer" in asked[0]
    assert "Give a reason" in asked[2]
    assert fresh(journey).state == "waiting_cs"
    assert not AuditEntry.objects.filter(action__startswith="signup.")

    decide("accept_claims", confirmed="yes", reason="knew the last bill, call 4711")

    entry = AuditEntry.objects.get(action="signup.accept_claim")
    assert entry.reason == "knew the last bill, call 4711"
    assert (entry.actor_id, entry.user_id) == (cs_carol.user.pk, journey.user_id)
    assert run(journey).state == "done"
    assert CustomerLink.objects.get(user_id=journey.user_id).state == "linked"
    assert "is not waiting for this" in decide("accept_claims", confirmed="yes", reason="again")
    assert AuditEntry.objects.filter(action__startswith="signup.").count() == 1


def test_a_decision_that_cannot_be_written_down_is_not_taken(
    cs_carol: Staff, salesforce: Salesforce, whmcs: Whmcs, monkeypatch: pytest.MonkeyPatch
) -> None:
    salesforce.accounts.append(account("104882", email="owner@example.jp"))
    journey = run(new_journey("ben@example.jp", number="104882"))

    def no_trail(*_arguments: Any, **_more: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(trail, "record_request", no_trail)
    confirmed = {"confirmed": "yes", "reason": "knew the last bill"}
    with pytest.raises(DatabaseError):
        act(signed_in(cs_carol.user), "accounts_signupjourney", "reject_claims", journey.pk, **confirmed)

    assert fresh(journey).state == "waiting_cs"
    assert CustomerLink.objects.get(user_id=journey.user_id).state == "provisional"


def test_advance_now_makes_a_journey_due(cs_carol: Staff, salesforce: Salesforce, whmcs: Whmcs) -> None:
    journey = new_journey("ben@example.jp")
    SignupJourney.objects.update(next_try_at="2030-01-01T00:00Z")

    act(signed_in(cs_carol.user), "accounts_signupjourney", "advance_now", journey.pk)

    from accounts import signup

    signup.advance(journey.pk)
    assert fresh(journey).state == "done"


def test_an_email_is_read_without_its_code_and_sent_again(cs_carol: Staff) -> None:
    code = outgoing.queue(
        cause="c", template="verification_code", to="aiko@example.jp", user_id=None, language="en", context={},
        secret={"code": "ABC123"},
    )  # fmt: skip
    browser = signed_in(cs_carol.user)

    page = browser.get(reverse("admin:notifications_email_change", args=[code.pk])).content.decode()

    assert "Enter this code" in page
    assert "ABC123" not in page
    assert code.secret_context not in page
    Email.objects.filter(pk=code.pk).update(state="sent", secret_context="")
    assert "held a code" in act(browser, "notifications_email", "resend", code.pk).content.decode()


def test_a_case_can_be_tried_again(cs_carol: Staff) -> None:
    case = cases.open_case(cause="x", kind="General Inquiry", subject="S", description="D")
    before = case.next_try_at

    act(signed_in(cs_carol.user), "support_case", "try_again", case.pk)

    case.refresh_from_db()
    assert case.next_try_at > before


def test_groups_read_but_nobody_deletes() -> None:
    make_staff()
    for name in ("CS agent", "CS lead", "Operator"):
        codenames = set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))
        assert {"view_user", "view_attempt", "view_email"} <= codenames
        assert not [each for each in codenames if each.startswith(("delete_", "add_"))]


def test_what_cannot_be_edited_offers_no_saving(cs_carol: Staff) -> None:
    link = CustomerLink.objects.get(user=make_customer("aiko@example.jp"))

    page = signed_in(cs_carol.user).get(reverse("admin:accounts_customerlink_change", args=[link.pk])).content.decode()

    assert link.sf_account_no in page
    assert 'name="_save"' not in page
