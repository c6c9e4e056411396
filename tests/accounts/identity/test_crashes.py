"""The worker dies around each call and each commit of the papers' way to Salesforce; the next brings them once."""

import pytest

from accounts.identity import storage
from accounts.models import IdentityCheck, User
from integrations.failpoints import Died, arm, traced
from tests.accounts.identity.in_memory import Salesforce, salesforce
from tests.accounts.identity.sent_in import State, papers, pass_quarantine, submit

__all__ = ["salesforce"]
pytestmark = pytest.mark.django_db(transaction=True)
FILE = ["salesforce.file_of_case", "call.intent", "salesforce.upload_file", "call.close", "identity.file"]
WAY = [
    "identity.claim",
    "salesforce.create_case",
    "identity.case",
    *FILE,
    *FILE,
    "identity.files",
    "salesforce.begin_identity_check",
    "identity.end",
]
OF_ALL = [f"{name}:{moment}=raise" for name in dict.fromkeys(WAY) for moment in ("before", "after")]
OF_THE_SECOND_FILE = [f"{name}:{moment}=raise@2" for name in FILE for moment in ("before", "after")]


def arrived_once(salesforce: Salesforce, check: IdentityCheck) -> None:
    """The double refuses a file it has; a second one would fail there."""
    documents = check.documents.all()
    assert salesforce.cases == {str(check.ref)}
    assert salesforce.files == {str(each.pk): storage.read(each) for each in documents}
    assert {salesforce.file_of_case(case_id="", title=str(each.pk)) for each in documents} == {
        each.sf_version_id for each in documents
    }
    assert salesforce.pending == {check.user.link.sf_account_id}
    assert check.state == State.PENDING


def test_these_are_the_points_of_a_submission(aiko: User, salesforce: Salesforce) -> None:
    check = papers(aiko)
    with traced() as passed:
        submit(check)
    assert passed == [f"{name}:{moment}" for name in WAY for moment in ("before", "after")]


@pytest.mark.parametrize("death", [*OF_ALL, *OF_THE_SECOND_FILE])
def test_a_submission_that_died_anywhere_goes_on_without_a_second_record(
    aiko: User, salesforce: Salesforce, death: str
) -> None:
    check = papers(aiko)
    with arm(death), pytest.raises(Died):
        submit(check)
    pass_quarantine()

    arrived_once(salesforce, submit(check))
