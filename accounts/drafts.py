"""What somebody typed into a form whose session ended meanwhile: given back after signing in again.

A form takes part by carrying `{% draft_field %}`, which says, signed, whose page it was; its view fills in `typed`.
What came too late waits, encrypted, in the session of the browser it came from, for that user and that page only:
never in an address, never in Redis, and gone with the session.
"""

from cryptography.fernet import InvalidToken
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.security.sessions import CUSTOMER
from notifications import secrets

FIELD, KEY, SALT = "draft_of", "draft", "accounts.drafts"
NEVER_KEPT = {FIELD, "csrfmiddlewaretoken", "next"}
LONGEST = 10_000  # characters of a whole form


def field_value(user: User) -> str:
    """What the hidden field FIELD of a page of `user` carries."""
    return signing.dumps(user.pk, salt=SALT)


def owner_of(request: HttpRequest) -> int | None:
    """The user on whose page the form that was sent stood, as it says itself, signed; None when it does not say."""
    try:
        return int(signing.loads(request.POST.get(FIELD, ""), salt=SALT, max_age=CUSTOMER.whole))
    except signing.BadSignature:
        return None


def keep(request: HttpRequest) -> None:
    """Keeps the form that came too late, if it says whose it was. Replaces an earlier one."""
    owner = owner_of(request)
    if owner is None:
        return
    fields = {name: value for name, value in request.POST.items() if name not in NEVER_KEPT}
    if sum(map(len, fields.values())) <= LONGEST:
        request.session[KEY] = secrets.seal({"user": owner, "path": request.path, "fields": fields})


def typed(request: HttpRequest) -> dict[str, str]:
    """What the signed-in user had typed on this page, once; says so. Empty when there is nothing of theirs."""
    try:
        kept = secrets.unseal(request.session.get(KEY, ""))
    except InvalidToken:  # the key was taken out of use meanwhile
        kept = {}
    if not kept or (kept["user"] == request.user.pk and kept["path"] != request.path):
        return {}
    del request.session[KEY]
    if kept["user"] != request.user.pk:
        return {}
    messages.info(request, _("What you had typed is back. It is not saved yet."))
    return dict(kept["fields"])
