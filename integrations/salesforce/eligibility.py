"""Asking customer support which fibre reaches an address (product.md §5; decisions.md 5, 14; salesforce-wire.md §3.6).

A query and a Composite: the Composite makes the Case, the Opportunity when none fits, and sets the Account to Pending.
"""

from datetime import UTC, datetime

from integrations.errors import Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.composite import Part, PartRefused, literal
from integrations.salesforce.connection import Connection
from integrations.salesforce.ids import ACCOUNT, CASE, OPPORTUNITY, sf_id
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import AskedCheck, CheckStanding, NewCheck
from integrations.salesforce.soql import children, select

LONGEST_NAME, LONGEST_SUBJECT, LONGEST_DESCRIPTION = 120, 255, 32_000


class EligibilityCalls(Connection):
    """Checks of an address for home internet."""

    def check_standing(self, *, account_id: str, ref: str) -> CheckStanding:
        """What the Account has already: our Case under `ref`, other open checks, the Opportunity that fits. Repeatable.

        One query. Rejected `no_account` when the Account is not to be seen. ValueError for a bad id.
        """
        opportunities = children(
            ("Id", f.PORTAL_REF),
            "Opportunities",
            f"({self._commodity_field} IN {{}} AND StageName = {{}}) OR {f.PORTAL_REF} = {{}}",
            [f.HOME_INTERNET, f.CORPORATE + f.HOME_INTERNET.removeprefix(f.PERSONAL)],
            f.STAGE_INTRODUCTION,
            ref,
            order="CreatedDate DESC, Id DESC",
        )
        cases = children(
            ("Id", "CaseNumber", f.PORTAL_REF),
            "Cases",
            f"(Type = {{}} AND IsClosed = false) OR {f.PORTAL_REF} = {{}}",
            f.CASE_ELIGIBILITY,
            ref,
            order="CreatedDate, Id",
        )
        soql = select(("Id", opportunities, cases), "Account", "Id = {}", sf_id(account_id, ACCOUNT))
        rows = self._query("check_standing", soql, "Account")
        if not rows:
            raise Rejected("salesforce", "check_standing", "no_account", f"Account {account_id} is not to be seen.")
        return _standing(rows[0], ref)

    def ask_for_check(self, new: NewCheck) -> AskedCheck:
        """Case, Opportunity and the Account's Pending in one Composite, all or none; with an Opportunity that is there,
        only that one's id is written into the Case.

        Rejected `duplicate_value`: Case or Opportunity of this reference exist; UnknownOutcome: they may. After both,
        look by `check_standing`. ValueError for malformed ids.
        """
        parts = [_case(new), _account(new)]
        if not new.opportunity_id:
            parts.insert(0, self._new_opportunity(new))
        try:
            bodies = self._composite("ask_for_check", parts)
        except PartRefused as refused:
            raise refused.error from None
        return AskedCheck(
            case_id=sf_id(bodies["case"]["id"], CASE),
            opportunity_id=new.opportunity_id or sf_id(bodies["opportunity"]["id"], OPPORTUNITY),
        )

    def _new_opportunity(self, new: NewCheck) -> Part:
        values = {
            "Name": literal(f"{f.HOME_INTERNET} – {new.account_name}")[:LONGEST_NAME],
            "AccountId": sf_id(new.account_id, ACCOUNT),
            "StageName": f.STAGE_INTRODUCTION,
            "CloseDate": new.close_date,
            self._commodity_field: f.HOME_INTERNET,
            f.PORTAL_SOURCE: f.SOURCE_ELIGIBILITY,
            f.PORTAL_REF: new.ref,
        }
        return Part("opportunity", "POST", "sobjects/Opportunity", values)


def _case(new: NewCheck) -> Part:
    """A Case has no field for an Opportunity, so its id is the description's last line."""
    opportunity = sf_id(new.opportunity_id, OPPORTUNITY) if new.opportunity_id else "@{opportunity.id}"
    last = f"\n\nOpportunity: {opportunity}"
    values = {
        f.PORTAL_REF: new.ref,
        "Type": f.CASE_ELIGIBILITY,
        "Origin": f.CASE_ORIGIN,
        "Subject": literal(new.subject)[:LONGEST_SUBJECT],
        "Description": literal(new.description)[: LONGEST_DESCRIPTION - len(last)] + last,
        "AccountId": sf_id(new.account_id, ACCOUNT),
    }
    return Part("case", "POST", "sobjects/Case", values)


def _account(new: NewCheck) -> Part:
    values = {
        f.ELIGIBILITY_STATUS: f.ELIGIBILITY_PENDING,
        f.ELIGIBILITY_REQUESTED_AT: _moment(new.requested_at),
    }
    return Part("account", "PATCH", f"sobjects/Account/{sf_id(new.account_id, ACCOUNT)}", values)


def _standing(account: Row, ref: str) -> CheckStanding:
    opportunities = account.children("Opportunities", "Opportunity")
    cases = account.children("Cases", "Case")
    ours = [each for each in opportunities if each.text(f.PORTAL_REF) == ref]
    return CheckStanding(
        case_id=next((each.id for each in cases if each.text(f.PORTAL_REF) == ref), ""),
        opportunity_id=next((each.id for each in [*ours, *opportunities]), ""),
        other_cases=tuple(each.text("CaseNumber") for each in cases if each.text(f.PORTAL_REF) != ref),
    )


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
