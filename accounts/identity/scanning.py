"""Whether papers are free of viruses, by a clamd of the operator's (decisions.md 32; security.md §5).

Without CLAMD_SOCKET nothing is scanned, and staff read so beside the file. With it a file is opened by nobody and goes
to Salesforce only once it was found clean; while clamd is away it waits.
"""

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from accounts.identity import checks, keys, storage
from accounts.links import linked
from accounts.models import IdentityCheck, IdentityDocument
from integrations import clamd
from integrations.errors import OutsideError
from journal.commits import commit
from support.cases import back_off, open_case

log = structlog.get_logger(__name__)
Scan, State = IdentityDocument.Scan, checks.State
CANNOT_READ = (storage.Missing, keys.CannotOpen)


class Infected(Exception):
    """The scanner found something in this document; it is written down, and support was told."""


def may_be_opened(document: IdentityDocument) -> bool:
    """Whether the scanner, if there is one, has found this document harmless. Looks at the row alone."""
    if settings.CLAMD_SOCKET:
        return document.scan == Scan.CLEAN
    return document.scan != Scan.INFECTED


def ensure(document: IdentityDocument) -> None:
    """Scans a document that was not found clean yet. Repeatable; not in a transaction.

    Raises Infected; OutsideError when the scanner does not answer, and then the document waits; and what
    `storage.read` raises (CANNOT_READ).
    """
    if document.scan == Scan.INFECTED:
        raise Infected
    if document.scan == Scan.CLEAN:
        return
    if not settings.CLAMD_SOCKET:
        _found(document, Scan.UNSCANNED)
        return
    try:
        name = clamd.scan(storage.read(document), socket_path=settings.CLAMD_SOCKET)
    except OutsideError:
        _found(document, Scan.WAITING)
        raise
    if name:
        _tell_support(document, name)
        raise Infected
    _found(document, Scan.CLEAN)


def scan_due(limit: int = 20) -> dict[str, int]:
    """Scans what support has to open and the scanner has not seen yet; says how many got a verdict. Repeatable.

    A file without one is tried again ever later (`back_off`), after all others. Papers on their way to Salesforce are
    scanned by the run that brings them there.
    """
    if not settings.CLAMD_SOCKET:
        return {"scanned": 0}
    scanned = 0
    for document in _due()[:limit]:
        try:
            scanned += _scan(document)
        except OutsideError as error:
            log.warning("scanner_away", error_code=error.code)
            break
    return {"scanned": scanned}


def _due() -> QuerySet[IdentityDocument]:
    """What no round has tried comes first, so that files without a verdict keep nobody waiting."""
    unseen = IdentityDocument.objects.filter(scan__in=[Scan.UNSCANNED, Scan.WAITING], deleted_at=None)
    with_support = unseen.filter(check_of__state__in=[State.PENDING, State.VERIFIED, State.REJECTED])
    rested = with_support.filter(Q(scan_after=None) | Q(scan_after__lte=Now())).select_related("check_of__user")
    return rested.order_by(F("scan_after").asc(nulls_first=True), "created_at")


def _scan(document: IdentityDocument) -> bool:
    """Whether there is a verdict. Raises OutsideError when the trouble is not the file's alone."""
    try:
        ensure(document)
    except Infected:
        log.warning("paper_not_clean", document=str(document.pk))
    except CANNOT_READ:
        _put_off(document, "unreadable", UNREADABLE)
        return False
    except OutsideError as error:
        is_about_file = error.code == "refused"
        _put_off(document, error.code, REFUSED if is_about_file else "")
        if is_about_file:
            return False
        raise
    return True


UNREADABLE = (
    "The portal cannot open the document %(document)s of the identity check %(check)s for the virus scanner: the file "
    "is missing, was changed, or its key is not set. Tell the operator, who looks at IDENTITY_DIR and IDENTITY_KEYS. "
    "The portal tries again by itself."
)
REFUSED = (
    "The virus scanner has an error of its own about the document %(document)s of the identity check %(check)s, such "
    "as a file above its StreamMaxLength. Tell the operator. Until it was scanned nobody can open it in the portal, "
    "which tries again by itself."
)


def _put_off(document: IdentityDocument, code: str, words: str) -> None:
    """Later, then, and after all others; with `words` for what a person has to mend, told once for each check."""
    with transaction.atomic():
        later = {"scan_tries": F("scan_tries") + 1, "scan_after": Now() + back_off(document.scan_tries + 1)}
        IdentityDocument.objects.filter(pk=document.pk).update(scan_error=code[:40], **later)
        if words:
            check = document.check_of
            names = {"document": document.pk, "check": check.ref}
            _open_case(check, f"identity_{code}:{check.ref}", "An identity paper cannot be scanned", words % names)
    log.warning("paper_put_off", document=str(document.pk), error_code=code, count=document.scan_tries + 1)


def _found(document: IdentityDocument, scan: str) -> None:
    if document.scan != scan:
        with commit("identity.scan"):
            living = IdentityDocument.objects.filter(pk=document.pk).exclude(scan=Scan.INFECTED)
            living.update(scan=scan, scan_error="")
    document.scan = scan


def _tell_support(document: IdentityDocument, name: str) -> None:
    check = document.check_of
    with commit("identity.infected"):
        IdentityDocument.objects.filter(pk=document.pk).update(scan=Scan.INFECTED, scan_error="")
        words = (
            f"The scanner found {name[:80]} in the document {document.pk} of the identity check "
            f"{check.ref}. Nobody can open it in the portal. {_where(document)}"
        )
        _open_case(check, f"identity_infected:{document.pk}", "A virus in a customer's identity papers", words)
    document.scan = Scan.INFECTED


def _open_case(check: IdentityCheck, cause: str, subject: str, description: str) -> None:
    link = linked(check.user)
    open_case(
        cause=cause,
        kind="General Inquiry",
        subject=subject,
        description=description,
        user_id=check.user_id,
        sf_account_id=link.sf_account_id if link else "",
    )


def _where(document: IdentityDocument) -> str:
    if document.sf_version_id:
        return f"It is in Salesforce already: delete the file {document.sf_version_id} there and reject the check."
    return "It was not sent to Salesforce. The customer was asked to send the papers again."
