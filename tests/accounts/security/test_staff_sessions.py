"""Staff pages open in sessions that a second factor opened, and rights that grow end the sessions from before."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.models import AuditEntry
from tests.accounts.security.conftest import is_signed_in
from tests.passkeys import make_passkey
from tests.people import PASSWORD, Staff, make_staff, signed_in

pytestmark = pytest.mark.django_db
ADMIN = reverse("admin:index")


def code_of(secret: str) -> str:
    return f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}"


def superuser() -> User:
    boss = make_staff("eve@example.jp", group="Operator").user
    User.objects.filter(pk=boss.pk).update(is_superuser=True)
    return User.objects.get(pk=boss.pk)


def save_user(browser: Client, user: User, **fields: Any) -> None:
    inline = {f"eligibility_requests-{what}_FORMS": 0 for what in ("TOTAL", "INITIAL")}
    whole = {**inline, **fields}  # without is_active: nobody is disabled by a form
    answer = browser.post(reverse("admin:accounts_user_change", args=[user.pk]), whole)
    assert answer.status_code == 302, answer.context["errors"]


def entries(*actions: str) -> set[tuple[str, int | None, int | None, str]]:
    rows = AuditEntry.objects.filter(action__in=actions)
    return set(rows.values_list("action", "actor_id", "user_id", "subject"))


def test_a_session_begun_without_the_second_factor_proves_it_before_it_opens_a_staff_page(cs_carol: Staff) -> None:
    browser = signed_in(cs_carol.user, with_second_factor=False)
    page = reverse("admin:accounts_user_changelist") + "?q=aiko"

    answer = browser.get(page)
    assert answer["Location"] == f"{reverse('mfa_reauthenticate')}?next=/admin/accounts/user/%3Fq%3Daiko"
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert browser.get(page).status_code == 302  # the password alone is none

    done = browser.post(answer["Location"], {"code": cs_carol.code(), "next": page})
    assert done["Location"] == page
    assert browser.get(page).status_code == 200


def test_who_has_a_passkey_only_is_asked_for_it(cs_carol: Staff) -> None:
    Authenticator.objects.filter(user=cs_carol.user).delete()
    make_passkey(cs_carol.user)
    browser = signed_in(cs_carol.user, with_second_factor=False)
    answer = browser.get(ADMIN)
    assert answer["Location"].startswith(reverse("mfa_reauthenticate_webauthn"))
    assert "Use a passkey" in browser.get(answer["Location"]).content.decode()


@pytest.mark.django_db(transaction=True)  # allauth tells of a new factor once it is committed
def test_who_sets_up_the_first_second_factor_has_used_it() -> None:
    user = make_staff(with_totp=False).user
    browser = signed_in(user)
    assert browser.get(ADMIN)["Location"] == reverse("mfa_activate_totp")
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    secret = browser.get(reverse("mfa_activate_totp")).context["form"].secret

    browser.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})

    assert browser.get(ADMIN).status_code == 200


def test_a_customers_session_is_over_once_they_are_made_staff(aiko: User) -> None:
    TOTP.activate(aiko, generate_totp_secret())
    older = signed_in(aiko)

    call_command("create_staff", aiko.email, "--group", "CS lead", stdout=StringIO())

    assert not is_signed_in(older)
    assert entries("rights_given", "rights_taken") == {
        ("rights_given", None, aiko.pk, "staff"),
        ("rights_given", None, aiko.pk, "group:CS lead"),
    }


def test_running_the_command_again_changes_nothing(cs_carol: Staff) -> None:
    browser = signed_in(cs_carol.user)
    call_command("create_staff", cs_carol.user.email, "--group", "CS agent", stdout=StringIO())
    assert browser.get(ADMIN).status_code == 200
    assert not entries("rights_given", "rights_taken")


def test_what_somebody_may_do_is_written_down_by_name_when_it_changes(cs_carol: Staff, aiko: User) -> None:
    make_staff("lena@example.jp", group="CS lead")
    boss, theirs, carols = superuser(), signed_in(aiko), signed_in(cs_carol.user)
    browser = signed_in(boss)

    save_user(browser, aiko, is_staff="on")
    save_user(browser, cs_carol.user, is_staff="on", groups=[Group.objects.get(name="CS lead").pk])

    assert entries("rights_given", "rights_taken") == {
        ("rights_given", boss.pk, aiko.pk, "staff"),
        ("rights_given", boss.pk, cs_carol.user.pk, "group:CS lead"),
        ("rights_taken", boss.pk, cs_carol.user.pk, "group:CS agent"),
    }
    assert User.objects.get(pk=aiko.pk).is_active
    assert not is_signed_in(theirs)
    assert not is_signed_in(carols)


def test_who_loses_rights_keeps_the_session_without_them(cs_carol: Staff) -> None:
    boss, carols = superuser(), signed_in(cs_carol.user)
    save_user(signed_in(boss), cs_carol.user)

    assert entries("rights_given", "rights_taken") == {
        ("rights_taken", boss.pk, cs_carol.user.pk, "staff"),
        ("rights_taken", boss.pk, cs_carol.user.pk, "group:CS agent"),
    }
    assert is_signed_in(carols)
    assert carols.get(ADMIN).status_code == 302


def test_what_a_group_may_do_is_written_down_when_it_changes(cs_carol: Staff) -> None:
    boss, group = superuser(), Group.objects.get(name="CS agent")
    held = group.permissions.exclude(codename="view_email")
    added = Permission.objects.get(codename="change_user", content_type__app_label="accounts")

    signed_in(boss).post(
        reverse("admin:auth_group_change", args=[group.pk]),
        {"name": group.name, "permissions": [added.pk, *held.values_list("pk", flat=True)]},
    )

    assert entries("permission_given", "permission_taken") == {
        ("permission_given", boss.pk, None, f"group:{group.pk} accounts.change_user"),
        ("permission_taken", boss.pk, None, f"group:{group.pk} notifications.view_email"),
    }


def test_a_new_group_is_given_what_it_gets_and_loses_nothing() -> None:
    boss, added = superuser(), Permission.objects.get(codename="change_user", content_type__app_label="accounts")

    signed_in(boss).post(reverse("admin:auth_group_add"), {"name": "CS trainee", "permissions": [added.pk]})

    group = Group.objects.get(name="CS trainee")
    assert entries("permission_given", "permission_taken") == {
        ("permission_given", boss.pk, None, f"group:{group.pk} accounts.change_user"),
    }


def test_a_group_with_a_long_name_is_given_and_taken(cs_carol: Staff) -> None:
    group = Group.objects.create(name="n" * 150)

    save_user(signed_in(superuser()), cs_carol.user, is_staff="on", groups=[group.pk])

    assert ("group:" + "n" * 150)[:120] in {subject for *_, subject in entries("rights_given")}
