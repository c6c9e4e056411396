"""Duplicate rules: a save that would make a second record of somebody is stopped, or only warned of (wire, 3.8)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import DuplicateRule, SObject
from sandbox.store import Record

if TYPE_CHECKING:
    from sandbox.salesforce.saving import Saving


@dataclass(frozen=True)
class DuplicateOptions:
    """What the header `Sforce-Duplicate-Rule-Header` asks for; without it, an alert stops a save too."""

    allow_save: bool = False
    include_details: bool = False


def read_options(header: str) -> DuplicateOptions:
    """The header's options; what is not understood counts as false."""
    options = {name.strip().lower(): value.strip().lower() == "true" for name, _, value in _pairs(header)}
    return DuplicateOptions(options.get("allowsave", False), options.get("includerecorddetails", False))


def check(saving: "Saving") -> None:
    """Raises ApiError DUPLICATES_DETECTED when a rule of the type finds other records like the one being saved."""
    org = saving.org
    for name, rule in org.schema.duplicate_rules.items():
        if org.schema[rule.object] is not saving.sobject or not any(saving.changed(each) for each in rule.fields):
            continue
        found = _matches(saving, rule)
        if found and not (rule.action == "Alert" and org.asking.duplicates.allow_save):
            raise _detected(saving, name, rule, found)


def _pairs(header: str) -> list[tuple[str, str, str]]:
    return [each.partition("=") for each in header.replace(",", ";").split(";")]


def _matches(saving: "Saving", rule: DuplicateRule) -> list[Record]:
    """Other records that are equal in all of the rule's fields, none of which is empty."""
    first, *others = rule.fields
    if any(saving.record.get(each) is None for each in rule.fields):
        return []
    table = saving.org.table(saving.sobject.name)
    return [
        each
        for each in table.find(first, saving.record[first])
        if each["Id"] != saving.record["Id"] and all(each.get(name) == saving.record[name] for name in others)
    ]


def _detected(saving: "Saving", name: str, rule: DuplicateRule, found: list[Record]) -> ApiError:
    records = [_match(saving, each) for each in found]
    match = {
        "entityType": saving.sobject.name,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": records,
        "rule": f"{name}_Match",
        "size": len(records),
        "success": True,
    }
    # The key is misspelt by the real service.
    result = {
        "allowSave": rule.action == "Alert",
        "duplicateRule": name,
        "duplicateRuleEntityType": saving.sobject.name,
        "errorMessage": rule.message,
        "matchResults": [match],
    }
    return ApiError("DUPLICATES_DETECTED", rule.message, extra={"duplicateResut": result})


def _match(saving: "Saving", record: Record) -> dict[str, Any]:
    sobject, asking = saving.sobject, saving.org.asking
    shown: dict[str, Any] = {"attributes": {"type": sobject.name, "url": asking.url_of(sobject.name, record["Id"])}}
    shown["Id"] = record["Id"]
    if asking.duplicates.include_details:
        shown |= {name: record.get(name) for name in _details(sobject)}
    return {"additionalInformation": [], "fieldDiffs": [], "matchConfidence": 100.0, "record": shown}


def _details(sobject: SObject) -> list[str]:
    return [each.name for each in sobject.own_fields if each.filterable]
