"""Identity papers: their files on a Case, and how the check stands on the Account (salesforce-wire.md §3.9)."""

import base64
from datetime import datetime

from integrations.errors import Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.accounts import AccountCalls
from integrations.salesforce.composite import NoRow, Part, PartRefused, query
from integrations.salesforce.ids import ACCOUNT, CASE, sf_id
from integrations.salesforce.schemas import AccountRecord
from integrations.salesforce.soql import select

UPLOAD_DEADLINE_S = 60  # ten megabytes, a third more in base64


class IdentityCalls(AccountCalls):
    """The papers of customers."""

    def file_of_case(self, *, case_id: str, title: str) -> str | None:
        """The newest ContentVersion of this title that was published at the Case. Repeatable."""
        where = "FirstPublishLocationId = {} AND Title = {}"
        soql = select(["Id"], "ContentVersion", where, sf_id(case_id, CASE), title, order="CreatedDate DESC, Id DESC")
        rows = self._query("file_of_case", soql, "ContentVersion")
        return rows[0].id if rows else None

    def upload_file(self, *, case_id: str, title: str, file_name: str, content: bytes) -> str:
        """Publishes a file at the Case, at most 28 MB, and gives the id of its ContentVersion. Never repeated.

        Has UPLOAD_DEADLINE_S. Nothing in Salesforce refuses a second file of this title: after UnknownOutcome look by
        `file_of_case` (decisions.md 5).
        """
        values = {
            "Title": title,
            "PathOnClient": file_name,
            "FirstPublishLocationId": sf_id(case_id, CASE),
            "VersionData": base64.b64encode(content).decode(),
        }
        return self._create("upload_file", "ContentVersion", values, deadline_s=UPLOAD_DEADLINE_S)

    def begin_identity_check(self, *, account_id: str, submitted_at: datetime) -> AccountRecord | None:
        """Sets the Account to Pending since `submitted_at` (aware; Salesforce keeps whole seconds). Repeatable.

        An Account that is Verified, or has papers of that moment or later, is left as it is, so that repeating undoes
        no decision of support's: it is read and given. None where Pending was written now. One Composite, and one
        query for what was left alone. Rejected `account_missing` when there is no such Account to be seen.
        """
        since = submitted_at.replace(microsecond=0)
        undecided = (
            f"Id = {{}} AND ({f.IDENTITY_STATUS} = null OR {f.IDENTITY_STATUS} != {{}}) "
            f"AND ({f.IDENTITY_SUBMITTED_AT} = null OR {f.IDENTITY_SUBMITTED_AT} < {{}})"
        )
        guard = select(["Id"], "Account", undecided, sf_id(account_id, ACCOUNT), f.IDENTITY_VERIFIED, since)
        values = {
            f.IDENTITY_STATUS: f.IDENTITY_PENDING,
            f.IDENTITY_SUBMITTED_AT: since.isoformat(),
            f.IDENTITY_MESSAGE: None,  # it was about earlier papers
        }
        parts = [query("guard", guard), Part("account", "PATCH", "sobjects/Account/@{guard.records[0].Id}", values)]
        try:
            self._composite("begin_identity_check", parts, repeatable=True)
        except PartRefused as refused:
            raise refused.error from None
        except NoRow:
            return self._left_alone(account_id)
        return None

    def _left_alone(self, account_id: str) -> AccountRecord:
        found = self.accounts([account_id])
        if not found:
            text = f"Account {account_id} is not to be seen."
            raise Rejected("salesforce", "begin_identity_check", "account_missing", text)
        return found[0]
