"""The people of the tests: aiko is a customer, ben is a stranger to her, cs_carol is staff.

`pytest_plugins = ["tests.people"]` in conftest.py makes the fixtures known everywhere.
"""

import itertools
import pkgutil
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.db.migrations import RunPython
from django.http import HttpRequest
from django.test import Client

import portal.migrations
from accounts.models import CustomerLink, SignupJourney, User

PASSWORD = "a quiet harbour at dawn"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Staff:
    """A member of staff and the secret of their authenticator app (empty without one)."""

    user: User
    totp_secret: str

    def code(self) -> str:
        """The six digits their app shows now."""
        return f"{hotp_value(self.totp_secret, next(yield_hotp_counters_from_time())):06d}"


@cache
def _hashed() -> str:
    """Once per process: the hasher is slow on purpose."""
    return make_password(PASSWORD)


def make_user(
    email: str, *, given_name: str = "Aiko", family_name: str = "Sato", language: str = "en", verified: bool = True
) -> User:
    """A portal user with a password and nothing in the other two systems."""
    user = User.objects.create(
        email=email.lower(),
        password=_hashed(),
        given_name=given_name,
        family_name=family_name,
        language=language,
        terms_version="2026-10-01",
    )
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=verified)
    return user


def make_customer(
    email: str = "",
    *,
    linked: bool = True,
    given_name: str = "Aiko",
    family_name: str = "Sato",
    language: str = "en",
    sf_account_id: str = "",
    sf_account_no: str = "",
    whmcs_client_id: int | None = None,
    internet_eligibility: str = "",
    identity_status: str = "",
    has_payment_method: bool | None = None,
) -> User:
    """A user with a verified e-mail; `linked`: with a link to an Account and a WHMCS client, and a finished journey.

    Ids that are not given are made up and differ from call to call; give those that the sandbox knows when a test
    goes over the wire.
    """
    n = next(_numbers)
    user = make_user(
        email or f"customer{n}@example.jp", given_name=given_name, family_name=family_name, language=language
    )
    if not linked:
        return user
    CustomerLink.objects.create(
        user=user,
        state=CustomerLink.State.LINKED,
        sf_account_id=sf_account_id or f"001TEST{n:08d}AAA",
        sf_account_no=sf_account_no or f"{900000 + n}",
        whmcs_client_id=whmcs_client_id if whmcs_client_id is not None else 90000 + n,
        internet_eligibility=internet_eligibility,
        identity_status=identity_status,
        has_payment_method=has_payment_method,
        portal_status="Active",
    )
    SignupJourney.objects.create(
        user=user,
        kind=SignupJourney.Kind.NEW,
        source="Portal Signup",
        state=SignupJourney.State.DONE,
        step=SignupJourney.Step.WELCOME,
    )
    return user


def make_staff(email: str = "carol@example.jp", *, with_totp: bool = True, group: str = "CS agent") -> Staff:
    """A member of staff in `group` (made by a migration), with an authenticator app unless told otherwise."""
    user = make_user(email, given_name="Carol", family_name="Mori")
    user.is_staff = True
    user.save(update_fields=["is_staff"])
    if group:
        user.groups.add(_group(group))
    secret = generate_totp_secret() if with_totp else ""
    if secret:
        TOTP.activate(user, secret)
    return Staff(user=user, totp_secret=secret)


def _group(name: str) -> Group:
    """A group with all that the migrations give it; made again after a test that emptied the tables."""
    if not Group.objects.filter(name=name).exists():
        for grant in _grants():
            grant.code(apps, None)  # type: ignore[arg-type]  # no history here: the models of today
    return Group.objects.get(name=name)


@cache
def _grants() -> list[RunPython]:
    """What the portal's migrations do besides tables, in their order: they make the groups and give them rights."""
    names = sorted(module.name for module in pkgutil.iter_modules(portal.migrations.__path__))
    migrations = [import_module(f"portal.migrations.{name}").Migration for name in names]
    return [each for one in migrations for each in one.operations if isinstance(each, RunPython)]


def signed_in(user: User, *, with_second_factor: bool = True, enforce_csrf_checks: bool = False) -> Client:
    """A browser in which `user` is signed in; staff with an authenticator app used it, unless told otherwise."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    if user.is_staff and with_second_factor:
        _prove_second_factor(client, user)
    UserSession.objects.create(user=user, session_key=client.session.session_key, ip="127.0.0.1", user_agent="")
    return client


def _prove_second_factor(client: Client, user: User) -> None:
    """As allauth notes it in the session after the page that asks for the code."""
    request = HttpRequest()
    request.session, request.user = client.session, user
    for each in Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP):
        record_authentication(request, user, "mfa", id=each.pk, type=each.type)
    request.session.save()


@pytest.fixture
def visitor() -> Client:
    """A browser in which nobody is signed in."""
    return Client()


@pytest.fixture
def aiko(db: None) -> User:
    """A linked customer."""
    return make_customer("aiko@example.jp", given_name="Aiko", family_name="Sato")


@pytest.fixture
def ben(db: None) -> User:
    """Another linked customer, a stranger to aiko."""
    return make_customer("ben@example.jp", given_name="Ben", family_name="Ito")


@pytest.fixture
def cs_carol(db: None) -> Staff:
    """A CS agent with an authenticator app."""
    return make_staff()
