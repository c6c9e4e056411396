"""Which paper, each of its files, and the sending in."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.identity import papers
from accounts.identity.papers import Paper
from accounts.identity.uploading import LARGEST, NotKept
from accounts.identity.wording import KINDS, side_of
from accounts.models import IdentityDocument

ACCEPT = "image/jpeg,image/png,application/pdf"  # phones then offer the camera, and turn HEIC into JPEG


class KindForm(forms.Form):
    paper = forms.ChoiceField(
        label=_("Which document do you send?"),
        choices=list(KINDS.items()),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose the document you send")},
    )


class PaperField(forms.FileField):
    """An uploaded file, cleaned: the value is what we keep of it."""

    def clean(self, value: Any, initial: Any = None) -> Paper:
        """Raises ValidationError with the sentence that says what to send instead. Blocks while the file is opened."""
        if value in self.empty_values:
            raise ValidationError(self.error_messages["required"], code="required")
        try:
            return papers.cleaned(_bytes_of(value))
        except papers.Refused as refused:
            raise ValidationError(str(refused.sentence), code=refused.reason) from refused


class FileForm(forms.Form):
    """One side of one kind of paper."""

    side = forms.ChoiceField(choices=IdentityDocument.Side.choices, widget=forms.HiddenInput)
    file = PaperField(error_messages={"required": _("Choose a file or take a photo")})

    def __init__(self, data: Any = None, files: Any = None, *, kind: str, side: str) -> None:
        super().__init__(data, files, auto_id=f"{side}_%s", initial={"side": side})
        self.asked, words = side, side_of(kind, side)
        self.fields["file"].label, self.fields["file"].help_text = str(words), str(words.hint)
        self.fields["file"].widget.attrs |= {"accept": ACCEPT, "data-most": LARGEST}


class SendForm(forms.Form):
    consent = forms.BooleanField(
        label=_("I agree that these documents are used to confirm who I am, and are passed on and kept as said here"),
        error_messages={"required": _("Agree to the use of your documents; we cannot check them otherwise")},
    )


def _bytes_of(value: Any) -> bytes:
    if isinstance(value, NotKept):
        raise papers.Refused(value.reason)
    return bytes(value.read())
