"""Salesforce at the gateway, in memory, for what happens in the portal alone."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from integrations import gateway
from integrations.failpoints import around
from integrations.salesforce.schemas import AccountRecord


@dataclass
class Salesforce:
    """Takes everything in, once."""

    calls: list[str] = field(default_factory=list)
    cases: set[str] = field(default_factory=set)  # references: the same one makes no second Case
    files: dict[str, bytes] = field(default_factory=dict)  # title -> content
    pending: set[str] = field(default_factory=set)  # Accounts

    def create_case(self, *, ref: str, kind: str, **fields: str) -> str:
        with around("salesforce.create_case"):
            self.calls.append(f"create_case {kind}")
            self.cases.add(ref)
        return "500TEST00000001AAA"

    def file_of_case(self, *, case_id: str, title: str) -> str | None:
        with around("salesforce.file_of_case"):
            self.calls.append("file_of_case")
        return self._version(title) if title in self.files else None

    def upload_file(self, *, case_id: str, title: str, file_name: str, content: bytes) -> str:
        with around("salesforce.upload_file"):
            self.calls.append("upload_file")
            assert title not in self.files
            self.files[title] = content
        return self._version(title)

    def begin_identity_check(self, *, account_id: str, submitted_at: datetime) -> AccountRecord | None:
        with around("salesforce.begin_identity_check"):
            self.calls.append("begin_identity_check")
            self.pending.add(account_id)
        return None

    def _version(self, title: str) -> str:
        return f"068TEST{list(self.files).index(title):08d}AAA"


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    double = Salesforce()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    return double
