"""Which rules apply to which type of record, and what happens to the records around a deleted one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.salesforce import files, flows, orders, people
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.saving import Saving
from sandbox.salesforce.schema import Field, SObject

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org

Rule = Callable[[Saving], None]

_BEFORE_SAVE: dict[str, list[Rule]] = {
    "Account": [people.give_account_number],
    "Contact": [people.compose_name],
    "User": [people.compose_name],
    "Case": [people.close_case],
    "Opportunity": [people.judge_stage],
    "Order": [flows.approval_before_save, orders.check_order],
    "OrderItem": [orders.check_item],
    "PricebookEntry": [orders.check_entry],
    "ContentVersion": [files.complete_version],
    "ContentDocumentLink": [files.refuse_second_link],
}
_AFTER_SAVE: dict[str, list[Rule]] = {
    "Order": [flows.provision_request_after_save],
    "OrderItem": [orders.roll_up],
    "ContentVersion": [files.publish_version],
}
_BEFORE_DELETE: dict[str, list[Rule]] = {
    "Order": [orders.refuse_deletion],
    "OrderItem": [orders.refuse_removal],
}
_AFTER_DELETE: dict[str, list[Rule]] = {"OrderItem": [orders.roll_up]}
# Children that go with their parent instead of holding it back.
_CASCADES = {("OrderItem", "OrderId"), ("CaseComment", "ParentId")} | {
    (child, field)
    for child in ("ContentVersion", "ContentDocumentLink")
    for field in ("ContentDocumentId", "LinkedEntityId")
}


def before_save(saving: Saving) -> None:
    """What happens to a record before it is checked. Raises ApiError."""
    _run(_BEFORE_SAVE, saving)


def after_save(saving: Saving) -> None:
    """What follows from a record that was saved, in the same transaction. Raises ApiError."""
    _run(_AFTER_SAVE, saving)


def before_delete(saving: Saving) -> None:
    """Refuse, or settle what points at the record: take along, clear, or hold back. Raises ApiError."""
    _run(_BEFORE_DELETE, saving)
    for child in saving.org.schema:
        for field in child.fields.values():
            if field.children and saving.sobject.name in field.references:
                _settle(saving, child, field)


def after_delete(saving: Saving) -> None:
    """What follows from a record that is gone, in the same transaction."""
    _run(_AFTER_DELETE, saving)


def _run(rules: dict[str, list[Rule]], saving: Saving) -> None:
    for rule in rules.get(saving.sobject.name, ()):
        rule(saving)


def _settle(saving: Saving, child: SObject, field: Field) -> None:
    org: Org = saving.org
    for record in org.find(child.name, field.name, saving.record["Id"]):
        if (child.name, field.name) in _CASCADES:
            org.delete(child.name, record["Id"], saving.user_id)
        elif field.required:
            name = saving.record.get("Name", saving.record["Id"])
            message = (
                f"Your attempt to delete {name} could not be completed because it is associated with the following "
                f"{child.label.lower()}s.: {record['Id'][:15]}"
            )
            raise ApiError("DELETE_FAILED", message, [])
        else:
            org.derive(child.name, record["Id"], {field.name: None})
