"""What of ours exists in the outside systems; outlives the attempts that made it."""

from journal.commits import commit
from journal.models import RemoteFact

State = RemoteFact.State


class FactConflict(Exception):
    """That remote id belongs to another subject, or the subject has another live one: a person must look."""


def recall(subject: str, kind: str) -> RemoteFact | None:
    """The live fact of this kind, if any."""
    return RemoteFact.objects.filter(subject=subject, kind=kind, state=State.LIVE).first()


def remember(subject: str, kind: str, remote_id: str, *, fingerprint: str = "") -> RemoteFact:
    """Writes down that `remote_id` is this subject's. Repeatable; an empty `fingerprint` leaves the known one.

    Raises FactConflict when the subject has another live one (see `replace`) or the id is another subject's.
    """
    with commit("fact.remember"):
        live = RemoteFact.objects.select_for_update().filter(subject=subject, kind=kind, state=State.LIVE).first()
        if live is not None and live.remote_id != remote_id:
            raise FactConflict(f"{subject} has {kind} {live.remote_id}, not {remote_id}")
        return _write(subject, kind, remote_id, fingerprint)


def replace(subject: str, kind: str, remote_id: str, *, fingerprint: str = "") -> RemoteFact:
    """As `remember`, but another live one is forgotten first. Repeatable."""
    with commit("fact.replace"):
        live = RemoteFact.objects.filter(subject=subject, kind=kind, state=State.LIVE)
        live.exclude(remote_id=remote_id).update(state=State.GONE)
        return _write(subject, kind, remote_id, fingerprint)


def forget(subject: str, kind: str, remote_id: str) -> None:
    """Writes down that `remote_id` was this subject's and counts no longer, known before or not. Repeatable."""
    with commit("fact.forget"):
        fact = _write(subject, kind, remote_id, "", live=False)
        RemoteFact.objects.filter(pk=fact.pk).update(state=State.GONE)


def forgotten(subject: str, kind: str) -> frozenset[str]:
    """The remote ids that were this subject's and count no longer."""
    gone = RemoteFact.objects.filter(subject=subject, kind=kind, state=State.GONE)
    return frozenset(gone.values_list("remote_id", flat=True))


def _write(subject: str, kind: str, remote_id: str, fingerprint: str, *, live: bool = True) -> RemoteFact:
    fact, _made = RemoteFact.objects.get_or_create(
        kind=kind,
        remote_id=remote_id,
        defaults={"subject": subject, "fingerprint": fingerprint, "state": State.LIVE if live else State.GONE},
    )
    if fact.subject != subject:
        raise FactConflict(f"{kind} {remote_id} is {fact.subject}'s, not {subject}'s")
    fact.fingerprint = fingerprint or fact.fingerprint
    fact.state = State.LIVE if live else fact.state
    fact.save(update_fields=["fingerprint", "state", "updated_at"])
    return fact
