"""What of a paper is on the disk, and who could make something of it."""

import os
import stat
import time
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from accounts.identity import keys, storage
from accounts.identity.keys import CannotOpen, WrappedKey
from accounts.models import IdentityDocument, User
from tests.accounts.identity.conftest import NEW, OLD, make_check, make_document

pytestmark = pytest.mark.django_db
PLAIN = b"\xff\xd8\xff\xe0 JFIF Aiko Sato %PDF-1.7 \x89PNG" * 50


def only_file(papers: Path) -> Path:
    (file,) = papers.iterdir()
    return file


def rotate() -> str:
    said = StringIO()
    call_command("rotate_identity_keys", stdout=said)
    return said.getvalue()


def test_what_was_kept_can_be_read_again(aiko: User) -> None:
    assert storage.read(make_document(make_check(aiko), PLAIN)) == PLAIN


def test_the_disk_shows_neither_content_nor_kind_nor_name(aiko: User, papers: Path) -> None:
    document = make_document(make_check(aiko), PLAIN)
    file = only_file(papers)
    assert file.name == str(document.pk)
    for readable in (b"\xff\xd8\xff", b"\x89PNG", b"%PDF", b"JFIF", b"Aiko"):
        assert readable not in file.read_bytes()


def test_only_the_portals_own_user_can_look(aiko: User, papers: Path) -> None:
    make_document(make_check(aiko))
    assert stat.S_IMODE(papers.stat().st_mode) == 0o700
    assert stat.S_IMODE(only_file(papers).stat().st_mode) == 0o600


def test_a_directory_open_to_others_is_not_used(papers: Path) -> None:
    papers.mkdir()
    papers.chmod(0o750)
    with pytest.raises(PermissionError, match="chmod 700"):
        storage.keep(uuid4(), PLAIN)
    assert list(papers.iterdir()) == []


@pytest.mark.parametrize("where", [0, 11, 12, 40, -1])
def test_one_changed_bit_is_noticed(aiko: User, papers: Path, where: int) -> None:
    document = make_document(make_check(aiko), PLAIN)
    sealed = bytearray(only_file(papers).read_bytes())
    sealed[where] ^= 1
    only_file(papers).write_bytes(sealed)
    with pytest.raises(CannotOpen):
        storage.read(document)


@pytest.mark.parametrize("length", [0, 5, 12, 100])
def test_a_file_cut_off_is_noticed(aiko: User, papers: Path, length: int) -> None:
    document = make_document(make_check(aiko), PLAIN)
    only_file(papers).write_bytes(only_file(papers).read_bytes()[:length])
    with pytest.raises(CannotOpen):
        storage.read(document)


def test_one_papers_file_and_key_are_no_good_for_another(aiko: User) -> None:
    check = make_check(aiko)
    hers, other = make_document(check, PLAIN), make_document(check, b"another", side="back")
    storage.path_of(other.pk).write_bytes(storage.path_of(hers.pk).read_bytes())
    other.wrapped_key = hers.wrapped_key
    with pytest.raises(CannotOpen):
        storage.read(other)
    stolen = keys.unwrap(hers.pk, WrappedKey(hers.key_id, bytes(hers.wrapped_key)))
    with pytest.raises(CannotOpen):
        keys.decrypt(other.pk, stolen, storage.path_of(hers.pk).read_bytes())


def test_the_same_paper_twice_looks_different(aiko: User) -> None:
    check = make_check(aiko)
    first, second = make_document(check, PLAIN), make_document(check, PLAIN, side="back")
    assert storage.path_of(first.pk).read_bytes()[12:44] != storage.path_of(second.pk).read_bytes()[12:44]


def test_a_paper_whose_file_is_gone_is_missing(aiko: User) -> None:
    document = make_document(make_check(aiko))
    for _ in range(2):
        storage.remove(document.pk)
    with pytest.raises(storage.Missing):
        storage.read(document)


def test_a_write_that_fails_leaves_nothing(papers: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        storage.keep(uuid4(), PLAIN)
    assert list(papers.iterdir()) == []


# --- keys that change


def test_old_papers_open_under_the_new_key_alone_after_rotation(aiko: User, settings: Any) -> None:
    settings.IDENTITY_KEYS = {"old": OLD}
    documents = [make_document(make_check(aiko), PLAIN)]
    files = {path: path.read_bytes() for path in settings.IDENTITY_DIR.iterdir()}

    settings.IDENTITY_KEYS = {"new": NEW, "old": OLD}
    assert storage.read(documents[0]) == PLAIN
    assert rotate().startswith("1 papers are now under the key new")
    assert rotate().startswith("0 papers")

    settings.IDENTITY_KEYS = {"new": NEW}
    assert storage.read(IdentityDocument.objects.get()) == PLAIN
    assert {path: path.read_bytes() for path in settings.IDENTITY_DIR.iterdir()} == files


def test_a_rotation_that_was_stopped_goes_on(aiko: User, settings: Any) -> None:
    settings.IDENTITY_KEYS = {"old": OLD}
    check = make_check(aiko)
    for _ in range(3):
        make_document(check, PLAIN, side="other")
    settings.IDENTITY_KEYS = {"new": NEW, "old": OLD}
    rounds = storage.rewrap(limit=2)
    assert next(rounds) == 2
    rounds.close()
    assert [storage.read(document) for document in IdentityDocument.objects.all()] == [PLAIN] * 3
    assert rotate().startswith("1 papers")


def test_without_the_old_key_rotation_names_it(aiko: User, settings: Any) -> None:
    settings.IDENTITY_KEYS = {"old": OLD}
    document = make_document(make_check(aiko))
    settings.IDENTITY_KEYS = {"new": NEW}
    with pytest.raises(CommandError, match="key old is not among"):
        rotate()
    with pytest.raises(CannotOpen, match="key old"):
        storage.read(document)


# --- what is to go


def grow_old(papers: Path) -> None:
    """Every file was written two hours ago."""
    for path in papers.iterdir():
        os.utime(path, (time.time() - 7200,) * 2)


def test_files_without_a_row_are_deleted_once_they_are_old(aiko: User, papers: Path) -> None:
    document = make_document(make_check(aiko))
    storage.keep(uuid4(), PLAIN)
    (papers / f"{uuid4()}.17.ab").write_bytes(b"half")
    assert storage.delete_orphans() == {"deleted": 0}
    grow_old(papers)
    assert storage.delete_orphans() == {"deleted": 2}
    assert only_file(papers).name == str(document.pk)


@pytest.mark.django_db(transaction=True)
def test_forgotten_papers_leave_a_row_without_key_or_file(aiko: User, papers: Path) -> None:
    document = make_document(make_check(aiko))
    assert [storage.forget([document.pk]), storage.forget([document.pk])] == [1, 0]
    assert list(papers.iterdir()) == []
    row = IdentityDocument.objects.get()
    assert row.deleted_at is not None
    assert bytes(row.wrapped_key) == b""
