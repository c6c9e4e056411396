"""What papers and their sides are called, and what makes a good picture of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import IdentityCheck, IdentityDocument

Text = str | Promise
Kind, Side = IdentityCheck.Paper, IdentityDocument.Side


@dataclass(frozen=True)
class Choice:
    """A label with a hint, as components/_choice.html shows it."""

    words: Text
    hint: Text

    def __str__(self) -> str:
        return str(self.words)


KINDS: Mapping[str, Choice] = {
    Kind.RESIDENCE_CARD: Choice(Kind.RESIDENCE_CARD.label, _("Zairyū card, both sides")),
    Kind.DRIVING_LICENCE: Choice(Kind.DRIVING_LICENCE.label, _("A Japanese one, both sides")),
    Kind.MY_NUMBER_CARD: Choice(
        Kind.MY_NUMBER_CARD.label, _("Front side only. Never send the back: it shows your My Number.")
    ),
    Kind.PASSPORT: Choice(
        Kind.PASSPORT.label,
        _("The page with your photo, and a certificate of residence or a utility bill of the last three months"),
    ),
}
FORMATS = _("JPEG, PNG or PDF, up to 10 MB. All four corners visible, no glare.")
SIDES: Mapping[str, Choice] = {
    Side.FRONT: Choice(_("Front side"), FORMATS),
    Side.BACK: Choice(_("Back side"), _("Also when nothing is written on it. JPEG, PNG or PDF, up to 10 MB.")),
    Side.OTHER: Choice(_("A further page"), _("Only if something does not fit. JPEG, PNG or PDF, up to 10 MB.")),
}
OF_ONE_KIND: Mapping[tuple[str, str], Choice] = {
    (Kind.MY_NUMBER_CARD, Side.FRONT): Choice(
        _("Front side of the My Number card"),
        _("The side with your photo, nothing else. JPEG, PNG or PDF, up to 10 MB."),
    ),
    (Kind.PASSPORT, Side.FRONT): Choice(_("Page with your photo"), FORMATS),
    (Kind.PASSPORT, Side.OTHER): Choice(
        _("Proof of your address"),
        _("It shows your name, your address and a date of the last three months. JPEG, PNG or PDF, up to 10 MB."),
    ),
}
FORMAT_NAMES: Mapping[str, Text] = {"image/jpeg": _("Photo"), "application/pdf": pgettext_lazy("file", "PDF")}


def side_of(kind: str, side: str) -> Choice:
    """What this side of this kind of paper is called."""
    return OF_ONE_KIND.get((kind, side)) or SIDES[side]
