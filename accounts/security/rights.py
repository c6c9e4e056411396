"""What members of staff may do, as it changes: written down, and not before a new sign-in where it is more."""

from dataclasses import dataclass

from accounts.models import User
from accounts.security import sessions
from audit import trail


@dataclass(frozen=True)
class Change:
    """What `user` may do now and could not (`given`) and could and may not (`taken`): `active`, `staff`, `superuser`,
    `group:<name>`."""

    given: frozenset[str]
    taken: frozenset[str]


def of(user: User) -> frozenset[str]:
    """What the database says that `user` may do, in the words of `Change`. Two queries."""
    now = User.objects.get(pk=user.pk)
    flags = {"active": now.is_active, "staff": now.is_staff, "superuser": now.is_superuser}
    groups = {f"group:{name}" for name in now.groups.values_list("name", flat=True)}
    return frozenset({name for name, is_set in flags.items() if is_set} | groups)


def changed(
    user: User, before: frozenset[str], *, actor_id: int | None = None, ip: str | None = None, reason: str = ""
) -> Change:
    """Writes one entry for each right given and taken since `before`, and signs `user` out everywhere where there is
    a new one: a session opened as a customer is none of staff.

    To be called in the transaction of the change. `actor_id` None: the portal's operator, at the machine. Repeatable.
    """
    now = of(user)
    change = Change(given=now - before, taken=before - now)
    for action, names in (("rights_given", change.given), ("rights_taken", change.taken)):
        for name in sorted(names):
            trail.record(action, actor_id=actor_id, user_id=user.pk, subject=name[:120], ip=ip, reason=reason)
    if change.given - {"active"}:
        sessions.end(user.pk)
    return change
