"""Opening a paper as a member of staff: with a reason, on record before a byte is shown, marked with who and when."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone

from accounts.identity import scanning, storage
from accounts.identity.checks import State
from accounts.identity.submission import file_name
from accounts.models import IdentityDocument, User
from audit import trail

PERMISSION = "accounts.open_identitydocument"


class CannotMark(Exception):
    """Nothing can be written on the paper, and unmarked it is given to nobody."""


class Closed(Exception):
    """The paper cannot be opened: deleted, infected, or not seen by the scanner yet."""


@dataclass(frozen=True)
class Copy:
    """A marked copy of a paper."""

    name: str
    content_type: str
    content: bytes


def document_of(check_id: int, document_id: UUID) -> IdentityDocument | None:
    """The document, if it belongs to this check and was sent in: drafts are nobody's but the customer's."""
    sent = IdentityDocument.objects.exclude(check_of__state=State.DRAFT).select_related("check_of__user")
    return sent.filter(pk=document_id, check_of_id=check_id).first()


def may_be_opened(document: IdentityDocument) -> bool:
    """Whether there is something to open, and the scanner lets it."""
    return document.deleted_at is None and scanning.may_be_opened(document)


def open_for(request: HttpRequest, document: IdentityDocument, reason: str) -> Copy:
    """A copy for the member of staff who is signed in; the trail has it first, whatever becomes of it.

    Asks no permission: the page does. Raises Closed, CannotMark, storage.Missing and keys.CannotOpen. Not in a
    transaction, since the entry must outlast what comes after it.
    """
    if not may_be_opened(document):
        raise Closed
    trail.record_request(
        request,
        "identity_document.opened",
        user_id=document.check_of.user_id,
        subject=f"identity_document:{document.pk}",
        reason=reason,
    )
    assert isinstance(request.user, User)
    plain = storage.read(document)
    content = _marked(plain, document.content_type, marking(request.user))
    return Copy(file_name(document), document.content_type, content)


def _marked(plain: bytes, content_type: str, words: str) -> bytes:
    from accounts.identity import watermark  # with it come two large libraries, which no other process shall load

    try:
        return watermark.stamp(plain, content_type, words)
    except ValueError as error:
        raise CannotMark(str(error)) from error


def marking(user: User) -> str:
    """Who and when, in characters that every font has: the name in Latin letters if it is in them, and the e-mail."""
    name = f"{user.get_full_name()} " if user.get_full_name().isascii() else ""
    return f"{name}{user.email} {timezone.localtime():%Y-%m-%d %H:%M} JST".encode("ascii", "replace").decode()
