"""The whole way of a person who cannot be mistaken for anybody, with things going wrong on it, and then a search for
them in every place there is (security.md §6). What is not allowed here must be nowhere."""

import json
from base64 import b64encode
from io import StringIO
from typing import Any

import django_rq
import pytest
import structlog
from allauth.mfa.totp.internal.auth import hotp_value, yield_hotp_counters_from_time
from django.conf import settings as now
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse

from accounts import refresh as accounts_refresh
from accounts.identity import storage, submission
from accounts.links import linked
from accounts.models import CustomerLink, IdentityCheck, IdentityDocument, ProfileSync, User
from accounts.profile import syncing
from catalog.eligibility import sending as checks_sent
from catalog.models import EligibilityRequest
from catalog.sync import sync
from journal.models import RemoteCall
from notifications import sending
from orders import refresh as orders_refresh
from orders.models import Order
from portal import clients
from portal.workers import Worker
from provisioning import outbox, worker
from provisioning.models import Attempt, InboxEvent
from support import cases
from support.models import Case
from tests.accounts.identity.files import SECRET, photo
from tests.faults import Faults
from tests.orders.steps import VOICE, review_form
from tests.people import make_customer, make_staff, signed_in
from tests.portal.pages import addresses
from tests.portal.rows import another
from tests.portal.test_canary import NAMES, PASSWORD, _fresh_limits, heard, logged, reset_password, sign_up
from tests.provisioning.conftest import arrives
from tests.sandbox_process import Sandbox

__all__ = ["_fresh_limits", "heard", "logged"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("sandbox")]
EMAIL = "zanzibar.journey@example.jp"  # nobody else signs up with it: the outside world remembers other tests
PHONE = "080-5521-0147"
LIVES = {
    "postal_code": "108-0023",
    "prefecture": "13",
    "city": "Quaggaville",
    "street": "Xerxes 9-8-7",
    "building": "Narwhal Palace",
    "room": "K-4711",
    "phone": PHONE,
    **NAMES,
}
FILE_NAME, TAKEN_AT = "quagga-residence-card.jpg", SECRET
PAPER = photo()
WORDS = [EMAIL, "zanzibar", *NAMES.values(), "O&#x27;Zyzzyva", PHONE, "5521-0147", "8055210147"]
WORDS += ["Quaggaville", "Xerxes", "Narwhal", "K-4711", "quagga-residence", TAKEN_AT]
ECHO = f"{NAMES['given_name']} {NAMES['family_name']} <{EMAIL}>, {PHONE}, Xerxes 9-8-7 is not accepted"
SECRETS = ("SECRET_KEY", "SF_PRIVATE_KEY", "WHMCS_API_SECRET", "WHMCS_API_IDENTIFIER", "ESIM_API_KEY")

# Where a person may stand in our database: what they are asked for, what they are written, and what support is told.
PLACES = {
    "accounts_user.email",
    "accounts_user.given_name",
    "accounts_user.family_name",
    "accounts_user.phone",
    "account_emailaddress.email",
    "accounts_address.city",
    "accounts_address.street",
    "accounts_address.building",
    "accounts_address.room",
    "catalog_eligibilityrequest.city",
    "catalog_eligibilityrequest.street",
    "catalog_eligibilityrequest.building",
    "catalog_eligibilityrequest.room",
    "notifications_email.to",
    "notifications_email.context",
}
# What an outside system said about its refusal, for staff alone: addresses and long numbers are cut, a name cannot be.
TOLD_TO_STAFF = {
    "journal_remotecall.error_text",
    "provisioning_attempt.error_text",
    "provisioning_outbox.payload",
    "provisioning_step.result",
}


def set_up(visitor: Client, faults: Faults) -> str:
    """Signs up, and gives an address that WHMCS and Salesforce refuse at first, saying it all back."""
    sync()
    code = sign_up(visitor, EMAIL)
    faults.action_fails("UpdateClient", ECHO)
    assert visitor.post(reverse("address"), LIVES).status_code == 302
    syncing.sync_due()
    ProfileSync.objects.update(next_try_at=Now())
    refuse_once(faults)
    syncing.sync_due()
    ProfileSync.objects.update(next_try_at=Now())
    syncing.sync_due()
    return code


def set_up_an_app(visitor: Client) -> list[str]:
    """Turns the second factor on; its secret and the codes for when the phone is lost."""
    visitor.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    visitor.get(reverse("mfa_activate_totp"))
    secret = visitor.session["mfa.totp.secret"]
    code = f"{hotp_value(secret, next(yield_hotp_counters_from_time())):06d}"
    assert visitor.post(reverse("mfa_activate_totp"), {"code": code}).status_code == 302
    visitor.post(reverse("mfa_generate_recovery_codes"), {})
    codes = visitor.get(reverse("mfa_download_recovery_codes")).content.decode().split()
    assert len(codes) == 10
    return [secret, *codes]


def send_in(visitor: Client, faults: Faults) -> list[str]:
    """Asks about the address and sends papers, both refused at first; what is kept of a paper, as text of its bytes."""
    visitor.post(reverse("eligibility"), {**LIVES, "home": "flat"})
    refuse_once(faults)
    checks_sent.send_due()
    EligibilityRequest.objects.update(next_try_at=Now(), lease_until=None)
    checks_sent.send_due()
    visitor.post(reverse("identity_begin"), {"paper": "residence_card"})
    for side in ("front", "back"):
        file = SimpleUploadedFile(FILE_NAME, PAPER, "image/jpeg")
        assert visitor.post(reverse("identity_upload"), {"side": side, "file": file}).status_code == 302
    visitor.post(reverse("identity_send"), {"consent": "on"})
    kept = storage.read(IdentityDocument.objects.get(side="front"))
    refuse_once(faults)
    for _ in range(2):
        IdentityCheck.objects.update(next_try_at=Now(), lease_until=None)
        submission.submit_due()
    assert IdentityCheck.objects.get().state == "pending"
    return [
        text for each in (PAPER, kept) for text in (each[-60:-3].decode("latin-1"), b64encode(each[300:360]).decode())
    ]


def as_text(content: bytes) -> list[str]:
    return [content.decode("latin-1"), b64encode(content).decode()]


def refuse_once(faults: Faults) -> None:
    """Salesforce refuses its next call and says everything back."""
    faults.http_error("salesforce", "*", status=400, body=json.dumps([{"errorCode": "X", "message": ECHO}]))


def order(visitor: Client, sandbox: Sandbox) -> Order:
    """A SIM with a number and a profile to download: identity verified, card there, ordered."""
    link = linked(User.objects.get(email=EMAIL))
    assert link is not None
    sandbox.control(f"/control/desk/accounts/{link.sf_account_id}/identity", {"status": "Verified"})
    sandbox.control(f"/control/whmcs/clients/{link.whmcs_client_id}/paymethods")
    accounts_refresh.refresh_accounts()
    CustomerLink.objects.filter(pk=link.pk).update(identity_status="Verified")
    visitor.post("/cart/add/", VOICE)
    visitor.post("/checkout/review/", review_form(visitor))
    return Order.objects.get(local_state=Order.Local.PLACED)


def provision(placed: Order, sandbox: Sandbox, faults: Faults) -> None:
    """The first attempt is refused with everything said back, the second succeeds."""
    faults.action_fails("AddOrder", ECHO)
    for action, state in (("approve", "FAILED"), ("activate", "PROVISIONED")):
        sandbox.control(f"/control/desk/orders/{placed.sf_order_id}/{action}")
        published = sandbox.ledger(system="salesforce", operation="event.publish")
        event = [row for row in published if row["detail"]["OrderId__c"] == placed.sf_order_id][-1]
        arrives(event["detail"]["IdemKey__c"], order_id=str(placed.sf_order_id))
        worker.work_off()
        outbox.drain()
        assert Attempt.objects.latest("created_at").state == state
    orders_refresh.refresh()


def fails_in_a_job() -> None:
    raise ValueError(ECHO)


def go_wrong(visitor: Client, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A page and a job that fail with the person in the error's text, for visitors and in front of developers."""
    queue = django_rq.get_queue("cases")
    queue.enqueue(fails_in_a_job)
    Worker([queue], connection=queue.connection, serializer=queue.serializer).work(burst=True, logging_level="ERROR")
    with monkeypatch.context() as patched:
        patched.setattr("portal.views.families", fails_in_a_job)
        visitor.raise_request_exception = False
        for debug in (False, True):
            settings.DEBUG = debug
            assert visitor.get(f"/?q={EMAIL}").status_code == 500
        settings.DEBUG = False
    visitor.get(f"/orders/{EMAIL}/")


def leave(visitor: Client) -> str:
    """Takes the data along, asks for closing, signs out and sets a new password."""
    visitor.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert EMAIL in visitor.post(reverse("data_download")).content.decode()
    visitor.post(reverse("close_account"))
    cases.open_due()
    visitor.post(reverse("account_logout"))
    link = reset_password(Client(), EMAIL)
    sending.send_due()
    return link


def found_in(text: str, canaries: list[str]) -> list[str]:
    return [each for each in canaries if each and each in text]


def columns_with(canaries: list[str]) -> set[str]:
    """table.column of every table of the database that holds one of these, bytes looked into as well."""
    hit: set[str] = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column.name for column in cursor.description or ()]
            for row in cursor.fetchall():
                values = zip(names, row, strict=True)
                hit |= {f"{table}.{name}" for name, value in values if found_in(said(value), canaries)}
    return hit


def said(value: object) -> str:
    if isinstance(value, bytes | memoryview):
        return bytes(value).decode("latin-1")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else str(value)


def pages_of_others() -> dict[str, str]:
    """Everything a visitor, another customer, staff without a right and the metrics' reader are shown, by address."""
    ben, nobody = signed_in(make_customer("ben@example.jp")), signed_in(make_staff("dan@example.jp", group="").user)
    theirs = f"/admin/accounts/user/{User.objects.get(email=EMAIL).pk}/change/"
    shown: dict[str, str] = {}
    for who, client in (("visitor", Client()), ("customer", ben), ("staff", nobody)):
        for path in [*addresses().values(), theirs, "/no-such-page/"]:
            answer = client.get(path)
            shown[f"{who} at {path}"] = answer.content.decode(errors="replace") + str(answer.headers)
    assert "portal_database_up" in shown["visitor at /metrics"]
    return shown


def secrets_of_ours(visitor: Client) -> list[str]:
    """What signs in somewhere: our keys, Salesforce's token, the visitor's session."""
    ours = [str(getattr(now, name)) for name in SECRETS] + [str(key) for key in now.FIELD_ENCRYPTION_KEYS]
    return [*ours, clients.token_source().token().access_token, str(visitor.session.session_key)]


def test_nobody_is_anywhere_but_where_they_belong(
    sandbox: Sandbox,
    faults: Faults,
    visitor: Client,
    heard: list[str],
    logged: StringIO,
    monkeypatch: pytest.MonkeyPatch,
    settings: Any,
) -> None:
    settings.ALERT_EMAILS, settings.HEALTH_TOKEN = ["on-call@example.jp"], "t" * 40
    code = set_up(visitor, faults)
    factor, paper = set_up_an_app(visitor), send_in(visitor, faults)
    placed = order(visitor, sandbox)
    provision(placed, sandbox, faults)
    number = User.objects.get(email=EMAIL).link.sf_account_no
    sso = visitor.post(reverse("payment_sso"))["Location"].rpartition("=")[2]
    go_wrong(visitor, monkeypatch, settings)
    ours = [*secrets_of_ours(visitor), *factor, *paper, sso]
    reset = leave(visitor)
    ours += [reset.split("-", 1)[1].strip("/"), PASSWORD, "LPA:1$"]

    log = logged.getvalue()
    assert {"Internal Server Error", "journey_moved", "remote call"} <= {
        json.loads(x)["event"] for x in log.splitlines()
    }
    everyone = pages_of_others()
    for place, text in (("log", log), ("redis", "\n".join(heard)), *everyone.items()):
        assert found_in(text, [*WORDS, *ours, f'"{number}"', f'"{code}"']) == [], place
    assert columns_with(WORDS) - PLACES - TOLD_TO_STAFF == set()
    assert columns_with([EMAIL, PHONE, "8055210147"]) - PLACES == set()
    assert columns_with(ours) - {"django_session.session_key", "usersessions_usersession.session_key"} == set()
    for message in mail.outbox:
        assert message.to == [EMAIL] or found_in(message.message().as_string(), WORDS) == [], message.subject
        assert found_in(message.message().as_string(), [PASSWORD, sso, *ours[:7]]) == [], message.subject


def test_the_search_finds_what_leaks(db: None, heard: list[str], logged: StringIO) -> None:
    """One careless line of each kind, so that the test above is known to look."""
    structlog.get_logger("portal").warning(f"no answer for {NAMES['given_name']}")
    django_rq.get_connection("housekeeping").set("last", EMAIL)
    another(RemoteCall, error_text=f"{LIVES['street']} is wrong")
    another(InboxEvent, payload=PAPER, state="poison")
    another(Case, description=json.dumps({"name": NAMES["family_name"]}))
    assert found_in(logged.getvalue(), WORDS) == [NAMES["given_name"]]
    assert EMAIL in found_in("\n".join(heard), WORDS)
    leaks = {"journal_remotecall.error_text", "provisioning_inboxevent.payload", "support_case.description"}
    assert columns_with([*WORDS, *as_text(PAPER[300:360])]) == leaks
