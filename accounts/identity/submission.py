"""Brings papers to Salesforce: the scanner, the Case, each file, the Account (decisions.md 5; product.md §6).

Steps are stored and resumable: look first, then make, then store. Nothing that could be made twice is repeated before
a look-up says that it is not there.
"""

from collections.abc import Callable, Mapping

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.identity import checks, outcome, scanning, storage
from accounts.identity.checks import State, Taken
from accounts.models import CustomerLink, IdentityCheck, IdentityDocument
from integrations import clamd, correlation, gateway
from integrations.errors import OutsideError, Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.identity import UPLOAD_DEADLINE_S
from journal import calls
from journal.commits import commit
from support.cases import open_case

log = structlog.get_logger(__name__)

Step = IdentityCheck.Step
CASE_TYPE = "ID Verification"
REFUSALS_BEFORE_A_CASE = 5
EXTENSIONS = {"image/jpeg": "jpg", "application/pdf": "pdf"}


def submit(check_id: int) -> bool:
    """Brings the papers of this check to Salesforce, as far as it gets; True when everything stands there.

    Does nothing for a check that is not due or that another worker has. Safe to repeat; not in a transaction.
    """
    check = checks.claim(check_id)
    if check is None:
        return False
    with correlation.bound(str(check.ref)):  # one id for all runs of a check
        try:
            return _run(check)
        except Taken:
            log.info("papers_taken", check=check_id, step=check.step)
            return False


def submit_due(limit: int = 20) -> dict[str, int]:
    """Papers whose job got lost or whose last run failed; says how many arrived. Needs no Redis."""
    waiting = list(checks.due().values_list("pk", flat=True)[:limit])
    return {"submitted": sum(submit(check_id) for check_id in waiting)}


def _run(check: IdentityCheck) -> bool:
    try:
        _scan(check)
        while check.state == State.SUBMITTED:
            STEPS[check.step](check)
    except scanning.Infected:
        ask_again(check.pk, run=check)
        return False
    except scanning.CANNOT_READ:
        _put_off(check, "unreadable")
        return False
    except (OutsideError, calls.JournalError) as error:
        _put_off(check, _code(error), refused_by=_who_refused(error))
        return False
    return True


def _scan(check: IdentityCheck) -> None:
    for document in _papers(check).filter(sf_version_id=""):
        checks.hold(check, clamd.DEADLINE_S)
        scanning.ensure(document)


def _make_case(check: IdentityCheck) -> None:
    checks.hold(check, _twice_read())
    case_id = gateway.salesforce().create_case(
        ref=str(check.ref),
        kind=CASE_TYPE,
        subject=f"Identity papers of customer {check.user.link.sf_account_no}",
        description=DESCRIPTION % {"paper": check.get_paper_display(), "files": _papers(check).count()},
        account_id=check.user.link.sf_account_id,
    )
    checks.record(check, step=Step.FILES, sf_case_id=case_id)


DESCRIPTION = (
    "The customer sent identity papers in the portal (%(paper)s, files: %(files)s). They are attached to this Case.\n"
    "Compare them with the Account, then set Id_Verification_Status__c of the Account to Verified, or to Rejected with "
    "Id_Verification_Rejection_Message__c: the customer reads that message and can send new papers.\n"
    "The portal notices the decision within two minutes and writes to the customer."
)


def _upload_files(check: IdentityCheck) -> None:
    for document in _papers(check).filter(sf_version_id=""):
        checks.record_file(check, document, _upload(check, document))
    checks.record(check, step=Step.ACCOUNT)


def _upload(check: IdentityCheck, document: IdentityDocument) -> str:
    """The document's ContentVersion: the one that is there, or a new one, made once whoever asks."""
    salesforce, title, content = gateway.salesforce(), str(document.pk), storage.read(document)
    checks.hold(check, UPLOAD_DEADLINE_S + _twice_read())
    return calls.once(
        subject=f"identity_document:{title}",
        operation="salesforce.upload_file",
        owner=f"identity:{check.pk}:{check.tries}",
        deadline_s=UPLOAD_DEADLINE_S,
        look_up=lambda: salesforce.file_of_case(case_id=check.sf_case_id, title=title),
        call=lambda: salesforce.upload_file(
            case_id=check.sf_case_id, title=title, file_name=file_name(document), content=content
        ),
        fence=lambda: checks.hold(check, UPLOAD_DEADLINE_S + _twice_read()),
        record=lambda version_id: {"version_id": version_id},
    )


def file_name(document: IdentityDocument) -> str:
    """What the file is called outside of the portal: its side and the beginning of its id, nothing of the customer."""
    return f"{document.side}-{str(document.pk)[:8]}.{EXTENSIONS[document.content_type]}"


def _tell_account(check: IdentityCheck) -> None:
    assert check.submitted_at is not None  # identity_sent_has_a_time
    link = check.user.link
    checks.hold(check, _twice_read())
    standing = gateway.salesforce().begin_identity_check(account_id=link.sf_account_id, submitted_at=check.submitted_at)
    with commit("identity.end"):
        checks.leave(check, State.PENDING)
        if standing is None:
            CustomerLink.objects.filter(pk=link.pk).update(identity_status=f.IDENTITY_PENDING)
        else:
            outcome.follow(standing)  # here, since the refresh will not be told again of what it was told before


STEPS: Mapping[str, Callable[[IdentityCheck], None]] = {
    Step.CASE: _make_case,
    Step.FILES: _upload_files,
    Step.ACCOUNT: _tell_account,
}


def ask_again(check_id: int, *, run: IdentityCheck | None = None) -> None:
    """These papers can never be sent: the customer is asked for new ones. By `run`, which has the check, or by staff.

    Raises NotAllowed when they are not on their way, and Taken when they are another run's.
    """
    with commit("identity.ask_again"):
        check = IdentityCheck.objects.select_for_update(of=("self",)).select_related("user").get(pk=check_id)
        with translation.override(check.user.language):
            message = _("One of the files cannot be used. Please take new photos and send them again.")
        decided = {"decided_at": timezone.now(), "rejection_message": message}
        if run is not None:
            checks.leave(run, State.REJECTED, **decided)
        elif check.state == State.SUBMITTED:
            checks.transition(check_id, State.REJECTED, **decided)
        else:
            raise checks.NotAllowed("these papers are not on their way")
        outcome.write_to_customer(check.user, check, State.REJECTED, message)


UNREADABLE = (
    "The portal cannot open a file that the customer sent: it is missing, was changed, or its key is not set. Tell the "
    "operator, who looks at IDENTITY_DIR and IDENTITY_KEYS. If the file is lost, choose “Ask the customer for new "
    "papers” on the identity check in the portal's admin."
)
REFUSED = (
    "Salesforce refuses the portal's step “%(step)s” of these identity papers: %(code)s. Correct it there (a rule, a "
    "field, a permission), then choose “Try again now” on the identity check in the portal's admin."
)
SCANNER_REFUSES = (
    "The virus scanner has an error of its own about one of these identity papers, such as a file above its "
    "StreamMaxLength, and nothing goes to Salesforce before it was scanned. Tell the operator, who looks at clamd's "
    "log. The portal tries again by itself."
)


def _code(error: OutsideError | calls.JournalError) -> str:
    return error.code if isinstance(error, OutsideError) else "outcome_unknown"


def _who_refused(error: Exception) -> str:
    """The system that will say the same again, if one did."""
    if isinstance(error, Rejected) or (isinstance(error, OutsideError) and error.code == "refused"):
        return error.system
    return ""


def _put_off(check: IdentityCheck, code: str, *, refused_by: str = "") -> None:
    """Later, then; what only a person can mend is told to support, once."""
    with commit("identity.put_off"):
        checks.postpone(check, code)
        if code == "unreadable":
            _tell_support(check, code, "A customer's identity papers cannot be opened", UNREADABLE)
        if refused_by and check.tries >= REFUSALS_BEFORE_A_CASE:
            words = SCANNER_REFUSES if refused_by == "clamd" else REFUSED % {"step": check.step, "code": code}
            _tell_support(check, "refused", "A customer's identity papers are refused", words)


def _tell_support(check: IdentityCheck, code: str, subject: str, description: str) -> None:
    open_case(
        cause=f"identity_{code}:{check.ref}",
        kind="General Inquiry",
        subject=subject,
        description=description,
        user_id=check.user_id,
        sf_account_id=check.user.link.sf_account_id,
    )


def _papers(check: IdentityCheck) -> QuerySet[IdentityDocument]:
    return check.documents.filter(deleted_at=None).select_related("check_of__user__link")


def _twice_read() -> float:
    """Seconds for a call and the look that may follow it."""
    return 2 * settings.READ_DEADLINE_S
