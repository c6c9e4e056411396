"""Whether papers are free of viruses, by a clamd of the operator's (decisions.md 32; security.md §5).

Without CLAMD_SOCKET nothing is scanned, and staff read so beside the file. With it a file is opened by nobody and goes
to Salesforce only once it was found clean; while clamd is away it waits.
"""

import structlog
from django.conf import settings

from accounts.identity import checks, keys, storage
from accounts.links import linked
from accounts.models import IdentityDocument
from integrations import clamd
from integrations.errors import OutsideError
from journal.commits import commit
from support.cases import open_case

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
    """Scans what support has to open and the scanner has not seen yet; says how many were scanned. Repeatable.

    Papers on their way to Salesforce are scanned by the run that brings them there.
    """
    if not settings.CLAMD_SOCKET:
        return {"scanned": 0}
    unseen = IdentityDocument.objects.filter(scan__in=[Scan.UNSCANNED, Scan.WAITING], deleted_at=None)
    scanned = 0
    for document in unseen.filter(check_of__state__in=[State.PENDING, State.VERIFIED, State.REJECTED])[:limit]:
        try:
            ensure(document)
        except OutsideError as error:
            log.warning("scanner_away", error_code=error.code)
            if error.code == "refused":  # its word about one file says nothing about the next
                continue
            break
        except (Infected, *CANNOT_READ):
            log.warning("paper_not_clean", document=str(document.pk))
        scanned += 1
    return {"scanned": scanned}


def _found(document: IdentityDocument, scan: str) -> None:
    if document.scan != scan:
        with commit("identity.scan"):
            IdentityDocument.objects.filter(pk=document.pk).exclude(scan=Scan.INFECTED).update(scan=scan)
    document.scan = scan


def _tell_support(document: IdentityDocument, name: str) -> None:
    check = document.check_of
    link = linked(check.user)
    with commit("identity.infected"):
        IdentityDocument.objects.filter(pk=document.pk).update(scan=Scan.INFECTED)
        open_case(
            cause=f"identity_infected:{document.pk}",
            kind="General Inquiry",
            subject="A virus in a customer's identity papers",
            description=f"The scanner found {name[:80]} in the document {document.pk} of the identity check "
            f"{check.ref}. Nobody can open it in the portal. {_where(document)}",
            user_id=check.user_id,
            sf_account_id=link.sf_account_id if link else "",
        )
    document.scan = Scan.INFECTED


def _where(document: IdentityDocument) -> str:
    if document.sf_version_id:
        return f"It is in Salesforce already: delete the file {document.sf_version_id} there and reject the check."
    return "It was not sent to Salesforce. The customer was asked to send the papers again."
