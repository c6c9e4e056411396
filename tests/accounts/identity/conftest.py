"""Papers in a directory of each test's own, under two keys."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from accounts.identity import papers as opening
from accounts.identity import storage
from accounts.models import IdentityCheck, IdentityDocument, User

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture(autouse=True)
def papers(settings: Any, tmp_path: Path) -> Path:
    """The directory of the encrypted files; keys "new" and "old"."""
    settings.IDENTITY_DIR = tmp_path / "papers"
    settings.IDENTITY_KEYS = {"new": NEW, "old": OLD}
    return tmp_path / "papers"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests may take longer than 30 s by the clock; the limit of CPU time stays."""
    monkeypatch.setattr(opening, "DEADLINE_S", 300.0)


def make_check(user: User, **more: Any) -> IdentityCheck:
    return IdentityCheck.objects.create(user=user, **{"paper": IdentityCheck.Paper.RESIDENCE_CARD} | more)


def make_document(check: IdentityCheck, plain: bytes = b"a paper", side: str = "front") -> IdentityDocument:
    """A document whose bytes are kept for real."""
    key = uuid4()
    kept = storage.keep(key, plain)
    return IdentityDocument.objects.create(
        id=key,
        check_of=check,
        side=side,
        content_type="image/jpeg",
        size=len(plain),
        key_id=kept.key_id,
        wrapped_key=kept.wrapped,
    )
