"""Composite: several sub-requests as one call, all or none, each one's status looked at (salesforce-wire.md §3.6)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from integrations.errors import OutsideError, Unavailable
from integrations.salesforce.api_errors import is_halted, meaning

NO_VALUE = "Invalid reference specified. No value for "


@dataclass(frozen=True)
class Part:
    """One sub-request. `path` is relative to the version, with `@{name.field}` for what earlier parts answered."""

    name: str  # its referenceId
    method: str
    path: str
    body: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def query(name: str, soql: str) -> Part:
    """A query as a part; later parts use `@{name.records[0].Id}`."""
    return Part(name, "GET", f"query?q={quote(soql, safe='')}")


def collection(name: str, method: str, records: Sequence[Mapping[str, Any]]) -> Part:
    """Up to 200 records of one type in one part, all or none."""
    return Part(name, method, "composite/sobjects", {"allOrNone": True, "records": list(records)})


def literal(text: str) -> str:
    """What somebody typed, as it may stand in a part's body: nothing in it is taken for a reference to another part."""
    return text.replace("@{", "@ {")


def literals(values: Mapping[str, Any]) -> dict[str, Any]:
    """A record's values with every text made `literal`: for a record that refers to no other part."""
    return {name: literal(value) if isinstance(value, str) else value for name, value in values.items()}


def literal_json(value: Any) -> str:
    """JSON as it may stand in a part's body; it reads back as exactly `value`."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True).replace("@{", r"@\u007b")


class NoRow(Exception):
    """The query part of this name found no row, so what refers to it did not run and nothing was done."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class PartRefused(Exception):
    """The part of this name was refused, so nothing was done; `error` is what the refusal means."""

    def __init__(self, name: str, error: OutsideError) -> None:
        super().__init__(f"{name}: {error}")
        self.name, self.error = name, error


class Composite:
    """One call of `operation` in the making, and the reading of its answer."""

    def __init__(self, operation: str, version: str, parts: Sequence[Part]) -> None:
        self._operation, self._base, self._parts = operation, f"/services/data/v{version}/", parts

    def request(self) -> dict[str, Any]:
        """The body to POST."""
        return {"allOrNone": True, "compositeRequest": [self._one(part) for part in self._parts]}

    def _one(self, part: Part) -> dict[str, Any]:
        one: dict[str, Any] = {"method": part.method, "url": self._base + part.path, "referenceId": part.name}
        if part.headers:
            one |= {"httpHeaders": dict(part.headers)}
        return one if part.body is None else one | {"body": part.body}

    def responses(self, answer: Any) -> list[Mapping[str, Any]] | None:
        """The sub-responses in the order of the parts; None when the answer is of another shape."""
        listed = answer.get("compositeResponse") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            return None
        by_name = {each.get("referenceId"): each for each in listed if isinstance(each, dict)}
        if any(not isinstance(by_name.get(part.name, {}).get("httpStatusCode"), int) for part in self._parts):
            return None
        return [by_name[part.name] for part in self._parts]

    def bodies(self, responses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Each part's body by name. Raises NoRow, PartRefused for the part that failed first, else Unavailable."""
        errors = {str(each["referenceId"]): _errors(each) for each in responses}
        if not any(errors.values()):
            return {str(each["referenceId"]): each.get("body") for each in responses}
        for name, found in errors.items():
            cause = next((error for error in found if not is_halted(error)), None)
            if cause is not None:
                raise PartRefused(name, meaning(f"{self._operation}.{name}", cause))
        raise self._nothing_found(errors)

    def _nothing_found(self, errors: Mapping[str, Sequence[Mapping[str, Any]]]) -> Exception:
        for found in errors.values():
            for error in found:
                message = str(error.get("message", ""))
                if message.startswith(NO_VALUE):
                    return NoRow(message.removeprefix(NO_VALUE).partition(".")[0])
        return Unavailable("salesforce", self._operation, "halted", "Salesforce rolled the call back without a reason.")


def _errors(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A part's errors: its own, or those of the records in a Collections part, which answers 200 all the same."""
    body = response.get("body")
    rows = body if isinstance(body, list) else []
    if int(response["httpStatusCode"]) >= 300:
        return [row for row in rows if isinstance(row, dict)] or [{"errorCode": "UNKNOWN_EXCEPTION"}]
    failed = [row for row in rows if isinstance(row, dict) and row.get("success") is False]
    return [error for row in failed for error in row.get("errors") or [{"statusCode": "UNKNOWN_EXCEPTION"}]]
