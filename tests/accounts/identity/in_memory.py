"""Salesforce at the gateway, in memory, for what happens in the portal alone."""

from dataclasses import dataclass, field
from datetime import datetime

import pytest

from integrations import gateway
from integrations.salesforce.schemas import AccountRecord


@dataclass
class Salesforce:
    """Takes everything in, once."""

    calls: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)  # title -> content

    def create_case(self, *, ref: str, kind: str, **fields: str) -> str:
        self.calls.append(f"create_case {kind}")
        return "500TEST00000001AAA"

    def file_of_case(self, *, case_id: str, title: str) -> str | None:
        self.calls.append("file_of_case")
        return "068TEST00000001AAA" if title in self.files else None

    def upload_file(self, *, case_id: str, title: str, file_name: str, content: bytes) -> str:
        self.calls.append("upload_file")
        assert title not in self.files
        self.files[title] = content
        return f"068TEST{len(self.files):08d}AAA"

    def begin_identity_check(self, *, account_id: str, submitted_at: datetime) -> AccountRecord | None:
        self.calls.append("begin_identity_check")
        return None


@pytest.fixture
def salesforce(monkeypatch: pytest.MonkeyPatch) -> Salesforce:
    double = Salesforce()
    monkeypatch.setattr(gateway, "salesforce", lambda: double)
    return double
