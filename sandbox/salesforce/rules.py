"""Which rules apply to which type of record, and what happens to the records around a deleted one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.salesforce import files, flows, orders, people, prices, sales, support
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.saving import Saving
from sandbox.salesforce.schema import Pointer
from sandbox.store import Record

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org

Rule = Callable[[Saving], None]

_BEFORE_SAVE: dict[str, list[Rule]] = {
    "Account": [people.give_account_number],
    "Contact": [people.compose_name],
    "Lead": [people.compose_name],
    "User": [people.compose_name],
    "Case": [support.complete_case],
    "Task": [support.complete_task],
    "Contract": [sales.complete_contract],
    "Opportunity": [sales.judge_stage],
    "OpportunityLineItem": [sales.check_line],
    "Order": [flows.approval_before_save, orders.check_order],
    "OrderItem": [orders.check_item],
    "PricebookEntry": [prices.check_entry],
    "Attachment": [files.complete_attachment],
    "ContentVersion": [files.complete_version],
    "ContentDocumentLink": [files.refuse_second_link],
}
_AFTER_SAVE: dict[str, list[Rule]] = {
    "Case": [support.keep_comment],
    "OpportunityLineItem": [sales.roll_up],
    "Order": [flows.provision_request_after_save],
    "OrderItem": [orders.roll_up],
    "ContentVersion": [files.publish_version],
}
_BEFORE_DELETE: dict[str, list[Rule]] = {
    "Order": [orders.refuse_deletion],
    "OrderItem": [orders.refuse_removal],
}
_AFTER_DELETE: dict[str, list[Rule]] = {"OrderItem": [orders.roll_up], "OpportunityLineItem": [sales.roll_up]}


def before_save(saving: Saving) -> None:
    """What happens to a record before it is checked. Raises ApiError."""
    name = saving.sobject.name_field
    if saving.sobject.custom and name and not name.autonumber and saving.record.get(name.name) is None:
        saving.record[name.name] = saving.record["Id"][:15]
    _run(_BEFORE_SAVE, saving)


def after_save(saving: Saving) -> None:
    """What follows from a record that was saved, in the same transaction. Raises ApiError."""
    _run(_AFTER_SAVE, saving)


def before_delete(saving: Saving) -> None:
    """Refuse, or settle what points at the record: take along, clear, or hold back. Raises ApiError."""
    _run(_BEFORE_DELETE, saving)
    for pointer in saving.sobject.pointing_here:
        _settle(saving, pointer)


def after_delete(saving: Saving) -> None:
    """What follows from a record that is gone, in the same transaction."""
    _run(_AFTER_DELETE, saving)


def _run(rules: dict[str, list[Rule]], saving: Saving) -> None:
    for rule in rules.get(saving.sobject.name, ()):
        rule(saving)


def _settle(saving: Saving, pointer: Pointer) -> None:
    org: Org = saving.org
    child, field = pointer.child, pointer.field
    for found in org.find(child.name, field.name, saving.record["Id"]):
        record = org.get(child.name, found["Id"])
        if record is None:
            continue  # another pointer of the same record took it along
        if field.on_delete == "cascade":
            org.discard(child, record, saving.user_id)
        elif field.on_delete == "restrict" or field.required:
            raise _held_back(saving, pointer, record)
        else:
            org.derive(child.name, record["Id"], {field.name: None})


def _held_back(saving: Saving, pointer: Pointer, holder: Record) -> ApiError:
    name, holding = (
        record.get(sobject.name_field.name) if sobject.name_field else record["Id"]
        for sobject, record in ((saving.sobject, saving.record), (pointer.child, holder))
    )
    message = (
        f"Your attempt to delete {name} could not be completed because it is associated with the following "
        f"{pointer.child.plural.lower()}.: {holding}\n"
    )
    return ApiError("DELETE_FAILED", message, [])
