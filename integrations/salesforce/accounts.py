"""Accounts, their contacts, and cases (decisions.md 2-6, 14; salesforce-wire.md §3)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.errors import Rejected
from integrations.salesforce import fields as f
from integrations.salesforce.composite import NoRow, Part, PartRefused, literals, query
from integrations.salesforce.connection import Connection
from integrations.salesforce.ids import ACCOUNT, CONTACT, OPPORTUNITY, sf_id
from integrations.salesforce.reading import Row
from integrations.salesforce.schemas import AccountRecord, AddressOnFile, ContactDetails, ContactRecord, NewAccount
from integrations.salesforce.soql import Value, children, select

OWN_FIELDS = (
    "Id",
    "Name",
    f.CUSTOMER_NUMBER,
    f.WHMCS_CLIENT,
    f.PORTAL_STATUS,
    f.ELIGIBILITY,
    f.ELIGIBILITY_STATUS,
    f.ELIGIBILITY_REQUESTED_AT,
    f.IDENTITY_STATUS,
    f.IDENTITY_MESSAGE,
    f.IDENTITY_SUBMITTED_AT,
)
WITH_CONTACTS = (*OWN_FIELDS, children(("Id", "Email"), "Contacts", order="CreatedDate, Id"))
ON_FILE = ("Phone", "BillingStreet", "BillingCity", "BillingState", "BillingPostalCode")
IDS_IN_ONE_QUERY = 400  # the address may be 16 KB long
ALLOW_DUPLICATES = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
LONGEST_SUBJECT, LONGEST_DESCRIPTION = 255, 32_000


class AccountCalls(Connection):
    """Who the customer is in Salesforce."""

    def account_by_number(self, number: str) -> AccountRecord | None:
        """The Account of a customer number, compared by Salesforce without regard to case. Repeatable.

        The only read that brings the address on file, for whoever turns out to be its customer.
        """
        soql = select((*ON_FILE, *WITH_CONTACTS), "Account", f"{f.CUSTOMER_NUMBER} = {{}}", number)
        found = self._query("account_by_number", soql, "Account")
        return replace(_record(found[0]), on_file=_on_file(found[0])) if found else None

    def account_by_ref(self, ref: str) -> AccountRecord | None:
        """The Account we made under this reference. Repeatable."""
        return self._account("account_by_ref", f"{f.PORTAL_REF} = {{}}", ref)

    def accounts(self, ids: Sequence[str]) -> list[AccountRecord]:
        """Those of the Accounts that exist and may be seen; one query for 400. Repeatable. ValueError for a bad id."""
        wanted = [sf_id(each, ACCOUNT) for each in ids]
        chunks = [wanted[start : start + IDS_IN_ONE_QUERY] for start in range(0, len(wanted), IDS_IN_ONE_QUERY)]
        return [found for chunk in chunks for found in self._accounts("accounts", "Id IN {}", chunk)]

    def account_changes(self, since: datetime | None = None) -> list[AccountRecord]:
        """Accounts of portal customers saved at `since` (aware) or later; all without it. Repeatable."""
        in_portal = f"{f.PORTAL_STATUS} != null"
        if since is None:
            return self._accounts("account_changes", in_portal)
        return self._accounts("account_changes", f"{in_portal} AND SystemModstamp >= {{}}", since)

    def create_account(self, new: NewAccount) -> AccountRecord:
        """Account and Contact in one Composite, read back. Its number may not be there yet (decisions.md 4).

        A reference that exists already is read and adopted. UnknownOutcome: look by `account_by_ref`.
        """
        try:
            bodies = self._composite("create_account", _new_account_parts(new))
        except PartRefused as refused:
            return self._adopted_account(new.ref, refused)
        account = {**bodies["read"], "Contacts": {"records": [{"Id": bodies["contact"]["id"], "Email": new.email}]}}
        return _record(Row("create_account", "Account", account))

    def _adopted_account(self, ref: str, refused: PartRefused) -> AccountRecord:
        found = self.account_by_ref(ref) if refused.error.code == "duplicate_value" else None
        if found is None:
            raise refused.error
        return found

    def register_account(self, *, account_id: str, whmcs_client: int, source: str) -> None:
        """Writes WHMCS client, portal status and registration source, in one Composite. Repeatable.

        A client of another number that stands there is never overwritten: Rejected `client_mismatch` (decisions.md 3).
        An Account that was closed stays closed: Rejected `account_closed` (decisions.md 6).
        """
        free = f"Id = {{}} AND ({f.WHMCS_CLIENT} = null OR {f.WHMCS_CLIENT} = {{}}) AND {f.PORTAL_STATUS} != {{}}"
        guard = select(["Id"], "Account", free, sf_id(account_id, ACCOUNT), str(whmcs_client), f.PORTAL_CLOSED)
        values = {
            f.WHMCS_CLIENT: str(whmcs_client),
            f.PORTAL_STATUS: f.PORTAL_ACTIVE,
            f.REGISTRATION_SOURCE: source,
        }
        parts = [query("guard", guard), Part("account", "PATCH", "sobjects/Account/@{guard.records[0].Id}", values)]
        try:
            self._composite("register_account", parts, repeatable=True)
        except PartRefused as refused:
            raise refused.error from None
        except NoRow:
            raise self._not_ours(account_id) from None

    def _not_ours(self, account_id: str) -> Rejected:
        """Why the Account may not be written."""
        if any(found.portal_status == f.PORTAL_CLOSED for found in self.accounts([account_id])):
            return Rejected("salesforce", "register_account", "account_closed", f"Account {account_id} is closed.")
        text = f"Account {account_id} names another WHMCS client, or is not to be seen."
        return Rejected("salesforce", "register_account", "client_mismatch", text)

    def write_details(self, *, account_id: str, contact_id: str, details: ContactDetails) -> None:
        """Writes what the customer said to Account and Contact (may be empty), in one Composite. Repeatable.

        An Account's name is left alone: it may be a company's. Without anything to write nothing is asked.
        """
        parts = []
        if values := _of_account(details):
            parts.append(Part("account", "PATCH", f"sobjects/Account/{sf_id(account_id, ACCOUNT)}", values))
        if contact_id and (values := _of_contact(details)):
            address = f"sobjects/Contact/{sf_id(contact_id, CONTACT)}"
            parts.append(Part("contact", "PATCH", address, values, ALLOW_DUPLICATES))
        if not parts:
            return
        try:
            self._composite("write_details", parts, repeatable=True)
        except PartRefused as refused:
            raise refused.error from None

    def create_case(
        self,
        *,
        ref: str,
        kind: str,
        subject: str,
        description: str,
        account_id: str = "",
        opportunity_id: str = "",
    ) -> str:
        """A Case from the portal; gives its id. `kind` is Case.Type. An existing reference is adopted: repeatable.

        A Case has no field for an Opportunity, so its id is the description's last line.
        """
        last = f"\n\nOpportunity: {sf_id(opportunity_id, OPPORTUNITY)}" if opportunity_id else ""
        values = {
            f.PORTAL_REF: ref,
            "Type": kind,
            "Origin": f.CASE_ORIGIN,
            "Subject": subject[:LONGEST_SUBJECT],
            "Description": description[: LONGEST_DESCRIPTION - len(last)] + last,
        } | ({"AccountId": sf_id(account_id, ACCOUNT)} if account_id else {})
        try:
            return self._create("create_case", "Case", values)
        except Rejected as refused:
            found = self._case_by_ref(ref) if refused.code == "duplicate_value" else []
            if not found:
                raise
            return found[0].id

    def _case_by_ref(self, ref: str) -> list[Row]:
        return self._query("case_by_ref", select(["Id"], "Case", f"{f.PORTAL_REF} = {{}}", ref), "Case")

    def _account(self, operation: str, where: str, *values: Value) -> AccountRecord | None:
        return next(iter(self._accounts(operation, where, *values)), None)

    def _accounts(self, operation: str, where: str, *values: Value) -> list[AccountRecord]:
        soql = select(WITH_CONTACTS, "Account", where, *values)
        return [_record(row) for row in self._query(operation, soql, "Account")]


def _of_account(details: ContactDetails) -> dict[str, Any]:
    return literals(_phone(details) | _address("Billing", details))


def _of_contact(details: ContactDetails) -> dict[str, Any]:
    values = _phone(details) | _address("Mailing", details)
    if details.family_name:
        values |= {"FirstName": details.given_name, "LastName": details.family_name}
    if details.email:
        values |= {"Email": details.email}
    if details.news is not None:
        values |= {"HasOptedOutOfEmail": not details.news}
    return literals(values)


def _phone(details: ContactDetails) -> dict[str, Any]:
    return {"Phone": details.phone} if details.phone else {}


def _address(kind: str, details: ContactDetails) -> dict[str, Any]:
    if not details.city:
        return {}
    return {
        f"{kind}Street": details.street,
        f"{kind}City": details.city,
        f"{kind}State": details.state,
        f"{kind}PostalCode": details.postal_code,
        f"{kind}Country": "Japan",
    }


def _new_account_parts(new: NewAccount) -> list[Part]:
    account: dict[str, Any] = {"Name": f"{new.family_name} {new.given_name}".strip(), f.PORTAL_REF: new.ref}
    account |= {f.REGISTRATION_SOURCE: new.registration_source}
    account |= {f.CUSTOMER_NUMBER: new.number} if new.number else {}
    contact = {
        "FirstName": new.given_name,
        "LastName": new.family_name,
        "Email": new.email,
        f.PORTAL_REF: f"{new.ref}:contact",
    }
    return [
        Part("account", "POST", "sobjects/Account", literals(account), ALLOW_DUPLICATES),
        Part(
            "contact", "POST", "sobjects/Contact", {"AccountId": "@{account.id}"} | literals(contact), ALLOW_DUPLICATES
        ),
        Part("read", "GET", f"sobjects/Account/@{{account.id}}?fields={','.join(OWN_FIELDS)}"),
    ]


def _on_file(row: Row) -> AddressOnFile:
    return AddressOnFile(
        street=row.text("BillingStreet"),
        city=row.text("BillingCity"),
        state=row.text("BillingState"),
        postal_code=row.text("BillingPostalCode"),
        phone=row.text("Phone"),
    )


def _record(row: Row) -> AccountRecord:
    contacts = row.children("Contacts", "Contact")
    return AccountRecord(
        id=row.id,
        number=row.text(f.CUSTOMER_NUMBER),
        name=row.text("Name"),
        whmcs_client=row.text(f.WHMCS_CLIENT),
        portal_status=row.text(f.PORTAL_STATUS),
        contacts=tuple(ContactRecord(each.id, each.text("Email").casefold()) for each in contacts),
        internet_eligibility=row.text(f.ELIGIBILITY),
        internet_eligibility_status=row.text(f.ELIGIBILITY_STATUS),
        internet_eligibility_requested_at=row.maybe_moment(f.ELIGIBILITY_REQUESTED_AT),
        identity_status=row.text(f.IDENTITY_STATUS),
        identity_message=row.text(f.IDENTITY_MESSAGE),
        identity_submitted_at=row.maybe_moment(f.IDENTITY_SUBMITTED_AT),
    )
