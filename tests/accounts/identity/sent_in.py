"""Papers that a customer has sent in, and the customer's Account in the sandbox."""

import uuid
from datetime import timedelta
from io import BytesIO

from django.utils import timezone
from PIL import Image

from accounts.identity import storage, submission
from accounts.models import IdentityCheck, IdentityDocument, User
from integrations import gateway
from integrations.salesforce.schemas import NewAccount
from journal.models import RemoteCall
from tests.people import make_customer

State, Scan = IdentityCheck.State, IdentityDocument.Scan


def photo(colour: str = "white", size: tuple[int, int] = (600, 380)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG")
    return out.getvalue()


def papers(
    user: User,
    *,
    state: str = State.SUBMITTED,
    sides: tuple[str, ...] = ("front", "back"),
    content: bytes = b"",
    age: timedelta = timedelta(0),
) -> IdentityCheck:
    """A check in `state` that was sent in `age` ago; its files lie encrypted where they should; due now."""
    now = timezone.now() - age
    decided = now if state in {State.VERIFIED, State.REJECTED} else None
    check = IdentityCheck.objects.create(
        user=user, paper="residence_card", state=state, submitted_at=now, next_try_at=now, decided_at=decided
    )
    for side in sides:
        add_paper(check, side, content or photo())
    return check


def add_paper(check: IdentityCheck, side: str, content: bytes, content_type: str = "image/jpeg") -> IdentityDocument:
    key = uuid.uuid4()
    kept = storage.keep(key, content)
    return IdentityDocument.objects.create(
        id=key,
        check_of=check,
        side=side,
        content_type=content_type,
        size=len(content),
        key_id=kept.key_id,
        wrapped_key=kept.wrapped,
    )


def fresh(check: IdentityCheck) -> IdentityCheck:
    return IdentityCheck.objects.get(pk=check.pk)


def submit(check: IdentityCheck) -> IdentityCheck:
    """One run, as if every wait and every lease were over."""
    IdentityCheck.objects.filter(pk=check.pk).update(next_try_at=timezone.now(), lease_until=None)
    submission.submit(check.pk)
    return fresh(check)


def pass_quarantine() -> None:
    """What was sent and got no answer would have arrived by now."""
    RemoteCall.objects.update(quarantine_until=timezone.now())


def customer_in_salesforce(language: str = "en") -> User:
    """A linked customer whose Account is in the sandbox."""
    ref = str(uuid.uuid4())
    names = {"given_name": "Aiko", "family_name": "Sato", "email": f"{ref[:8]}@example.jp"}
    account = gateway.salesforce().create_account(NewAccount(ref=ref, registration_source="Portal Signup", **names))
    user = make_customer(
        names["email"], sf_account_id=account.id, sf_account_no=account.number, whmcs_client_id=None, language=language
    )
    client_id = user.link.whmcs_client_id
    assert client_id
    gateway.salesforce().register_account(account_id=account.id, whmcs_client=client_id, source="Portal Signup")
    return user
