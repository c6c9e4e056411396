"""Identity papers: what was sent in, how the check stands, and where the encrypted files are until they are deleted."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.people import User


class IdentityCheck(models.Model):
    """One submission of papers, from the first upload to customer support's answer (product.md §6)."""

    class State(models.TextChoices):
        DRAFT = "draft", _("being prepared")  # files may still be added and removed
        SUBMITTED = "submitted", _("submitted")  # on its way to Salesforce
        PENDING = "pending", _("being checked")  # Case and files are in Salesforce
        VERIFIED = "verified", _("verified")
        REJECTED = "rejected", _("rejected")

    class Step(models.TextChoices):
        CASE = "case", _("case")
        FILES = "files", _("files")
        ACCOUNT = "account", _("account status")

    class Paper(models.TextChoices):
        RESIDENCE_CARD = "residence_card", _("Residence card")
        DRIVING_LICENCE = "driving_licence", _("Driving licence")
        MY_NUMBER_CARD = "my_number_card", _("My Number card")  # its back is never taken (Act on My Number)
        PASSPORT = "passport", _("Passport and proof of address")

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="identity_checks")
    ref = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)  # Portal_Ref__c of the Case
    paper = models.CharField(max_length=16, choices=Paper.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    step = models.CharField(max_length=8, choices=Step.choices, default=Step.CASE)
    sf_case_id = models.CharField(max_length=18, blank=True)
    rejection_message = models.CharField(max_length=1000, blank=True)  # Id_Verification_Rejection_Message__c
    consent_version = models.CharField(max_length=20, blank=True)  # which purpose was agreed to, at submitted_at
    submitted_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    legal_hold = models.BooleanField(default=False)  # nothing of it is deleted while this is on
    tries = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("identity check")
        verbose_name_plural = _("identity checks")
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(state__in=["draft", "submitted", "pending"]),
                name="identity_one_open_check",
            ),
            models.CheckConstraint(
                condition=models.Q(state="draft") | models.Q(submitted_at__isnull=False),
                name="identity_sent_has_a_time",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_try_at"])]

    def __str__(self) -> str:
        return f"{self.ref} ({self.state})"


class IdentityDocument(models.Model):
    """One encrypted file outside of the web root. Its UUID is the title of the ContentVersion (decisions.md 5).

    The file's key is here, wrapped; a row that is gone makes its file unreadable for ever.
    """

    class Side(models.TextChoices):
        FRONT = "front", _("front")
        BACK = "back", _("back")
        OTHER = "other", _("further page")

    class Scan(models.TextChoices):
        CLEAN = "clean", _("scanned, clean")
        UNSCANNED = "unscanned", _("not scanned")  # there is no scanner
        WAITING = "waiting", _("waiting for the scanner")
        INFECTED = "infected", _("infected")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    check_of = models.ForeignKey(IdentityCheck, on_delete=models.CASCADE, related_name="documents")
    side = models.CharField(max_length=5, choices=Side.choices)
    content_type = models.CharField(max_length=20)  # of what we made of the file: image/jpeg or application/pdf
    size = models.PositiveIntegerField()  # bytes, of what is kept, before encryption
    key_id = models.CharField(max_length=16)  # which key-encryption key wraps this file's key
    wrapped_key = models.BinaryField()
    scan = models.CharField(max_length=9, choices=Scan.choices, default=Scan.UNSCANNED)
    scan_tries = models.PositiveIntegerField(default=0)  # rounds that ended without a verdict
    scan_after = models.DateTimeField(null=True, blank=True)  # no round takes it before; null: not tried yet
    scan_error = models.CharField(max_length=40, blank=True)  # why the last round had no verdict
    sf_version_id = models.CharField(max_length=18, blank=True)  # the ContentVersion, once uploaded
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True)  # the bytes are gone, the row tells that they were

    class Meta:
        verbose_name = _("identity document")
        verbose_name_plural = _("identity documents")
        ordering = ["created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["check_of", "side"],
                condition=models.Q(side__in=["front", "back"], deleted_at=None),
                name="identity_one_file_per_side",
            )
        ]
        indexes = [models.Index(fields=["key_id"])]
        permissions = [("open_identitydocument", "Can open identity documents")]

    def __str__(self) -> str:
        return f"{self.id} ({self.side})"
