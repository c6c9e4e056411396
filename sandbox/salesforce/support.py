"""Small rules of cases and tasks."""

from sandbox.salesforce import moments
from sandbox.salesforce.saving import Saving


def complete_case(case: Saving) -> None:
    """IsClosed and ClosedDate follow Status; how to reach the contact is read from the contact."""
    closed = case.record.get("Status") == "Closed"
    if closed != bool(case.record.get("IsClosed")):
        case.record["IsClosed"] = closed
        case.record["ClosedDate"] = moments.write(case.org.clock.now()) if closed else None
    contact = case.org.get("Contact", case.record.get("ContactId") or "") or {}
    case.record.update(ContactPhone=contact.get("Phone"), ContactEmail=contact.get("Email"))


def keep_comment(case: Saving) -> None:
    """What is written as the case's internal comment becomes a comment of its own."""
    comment = case.record.get("Comments")
    if comment:
        org = case.org
        org.insert(org.schema["CaseComment"], {"ParentId": case.record["Id"], "CommentBody": comment}, case.user_id)
        org.derive("Case", case.record["Id"], {"Comments": None})


def complete_task(task: Saving) -> None:
    """IsClosed and CompletedDateTime follow Status."""
    closed = task.record.get("Status") == "Completed"
    if closed != bool(task.record.get("IsClosed")):
        task.record["IsClosed"] = closed
        task.record["CompletedDateTime"] = moments.write(task.org.clock.now()) if closed else None
