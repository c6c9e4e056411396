"""The encrypted files of identity papers: one for each document, named by its UUID, in a directory of the portal alone.

A file is written before its row is, and removed after its row is gone; what a crash leaves between the two is deleted
by `delete_orphans`.
"""

import os
from collections.abc import Generator, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.identity import keys
from accounts.identity.keys import WrappedKey
from accounts.models import IdentityDocument
from journal.commits import commit

ORPHANED = timedelta(hours=1)  # older than any upload that could still be under way


class Missing(Exception):
    """There is no file for this document."""


def keep(document: UUID, plain: bytes) -> WrappedKey:
    """Encrypts `plain` under a key of its own and writes it, whole or not at all, so that it outlasts a power cut.

    Returns what the row has to keep. A second call for the same document replaces the first one's file.
    """
    key = keys.make_key()
    _write(path_of(document), keys.encrypt(document, key, plain))
    return keys.wrap(document, key)


def read(document: IdentityDocument) -> bytes:
    """What was kept. Raises Missing when the file is gone, keys.CannotOpen when it or its key was changed."""
    try:
        sealed = path_of(document.pk).read_bytes()
    except FileNotFoundError as error:
        raise Missing(str(document.pk)) from error
    key = keys.unwrap(document.pk, WrappedKey(document.key_id, bytes(document.wrapped_key)))
    return keys.decrypt(document.pk, key, sealed)


def remove(document: UUID) -> None:
    """Deletes the file. May be repeated."""
    path_of(document).unlink(missing_ok=True)


def remove_once_committed(documents: Iterable[UUID]) -> None:
    """Deletes the files once the transaction that forgets their rows or keys is committed; at once without one."""
    gone = list(documents)

    def delete() -> None:
        for document in gone:
            remove(document)

    transaction.on_commit(delete, robust=True)


def forget(documents: Iterable[UUID]) -> int:
    """Deletes files whose rows shall go on telling that there were papers, and the keys with them; says how many.

    Joins the caller's transaction. Repeatable; a legal hold is the caller's to respect.
    """
    ids = list(documents)
    remove_once_committed(ids)
    living = IdentityDocument.objects.filter(pk__in=ids, deleted_at=None)
    return living.update(deleted_at=Now(), wrapped_key=b"")


def delete_orphans(limit: int = 1000) -> dict[str, int]:
    """Deletes files without a living row, and what a crash left half written; says how many. Repeatable.

    Files younger than ORPHANED are left alone: their row may be about to be committed.
    """
    before = timezone.now() - ORPHANED
    old = [path for path in directory().iterdir() if _written(path) < before]
    living = set(IdentityDocument.objects.filter(deleted_at=None).values_list("pk", flat=True).iterator())
    gone = [path for path in old if _document_of(path) not in living][:limit]
    for path in gone:
        path.unlink(missing_ok=True)
    return {"deleted": len(gone)}


def rewrap(limit: int = 500) -> Generator[int, None, None]:
    """Wraps the keys of papers under the newest key-encryption key; yields how many each round of `limit` did.

    The files stay as they are. Each row is a transaction's worth: interrupted and begun anew, it goes on where it
    stopped; with nothing left to do it yields nothing. Raises keys.CannotOpen naming a key that is no longer set.
    """
    newest = keys.newest()
    while True:
        with commit("identity.rewrap"):
            rows = IdentityDocument.objects.select_for_update().exclude(key_id=newest)
            done = [_rewrapped(row) for row in rows.filter(deleted_at=None).order_by("pk")[:limit]]
            IdentityDocument.objects.bulk_update(done, ["key_id", "wrapped_key"])
        if not done:
            return
        yield len(done)


def directory() -> Path:
    """Where the files are; made at the first use. Raises PermissionError when others could look into it."""
    path = Path(settings.IDENTITY_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.stat().st_mode & 0o077:
        raise PermissionError("IDENTITY_DIR can be read by other users. Run chmod 700 on it.")
    return path


def path_of(document: UUID) -> Path:
    """The document's file, whether or not there is one."""
    return directory() / str(document)


def _rewrapped(row: IdentityDocument) -> IdentityDocument:
    key = keys.unwrap(row.pk, WrappedKey(row.key_id, bytes(row.wrapped_key)))
    kept = keys.wrap(row.pk, key)
    row.key_id, row.wrapped_key = kept.key_id, kept.wrapped
    return row


def _write(path: Path, sealed: bytes) -> None:
    half = path.with_suffix(f".{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with open(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise
    _settle(path.parent)


def _settle(parent: Path) -> None:
    """A new name is on the disk only once its directory is."""
    descriptor = os.open(parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(path: Path) -> datetime:
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, tz=timezone.get_current_timezone())
    except FileNotFoundError:  # removed in the meantime
        return timezone.now()


def _document_of(path: Path) -> UUID | None:
    try:
        return UUID(path.name)
    except ValueError:
        return None
