"""Approved order -> working service: what came in, what was tried, what is still to be reported.

reliability.md §2 is the design, amended by decisions.md 18–28; the names are theirs.
"""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class EventCursor(models.Model):
    """Where the subscriber stands on one topic, and how it is. Moved in the transaction that stores the events."""

    topic = models.CharField(max_length=200, primary_key=True)
    replay_id = models.BinaryField(null=True)  # opaque: never parsed, compared or counted up
    leader_epoch = models.PositiveBigIntegerField(default=0)  # a stale leader cannot move the cursor
    leader = models.CharField(max_length=100, blank=True)
    connected = models.BooleanField(default=False)
    saved_at = models.DateTimeField(null=True)
    last_event_at = models.DateTimeField(null=True)
    last_message_at = models.DateTimeField(null=True)  # an event or a keep-alive
    disconnected_at = models.DateTimeField(null=True)
    lag_seconds = models.FloatField(null=True)
    last_error = models.CharField(max_length=255, blank=True)
    auth_refused = models.BooleanField(default=False)
    gap_at = models.DateTimeField(null=True)  # set when the position was lost and everything retained was read again

    def __str__(self) -> str:
        return self.topic


class InboxEvent(models.Model):
    """One event as it came, kept raw for 90 days; deduplicated by its own id, never by its replay id."""

    class State(models.TextChoices):
        ACCEPTED = "accepted", _("accepted")
        WAITING = "waiting", _("waits for the live attempt to end")
        ANSWERED = "answered", _("answered by the live attempt")
        REPLACED = "replaced", _("replaced by a newer waiting event")
        DUPLICATE = "duplicate", _("duplicate")
        POISON = "poison", _("cannot be read")
        IGNORED = "ignored", _("ignored")

    class Source(models.TextChoices):
        STREAM = "stream", _("Pub/Sub")
        RECONCILER = "reconcile", _("reconciler")

    event_uuid = models.CharField(max_length=64, unique=True)
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.STREAM)
    topic = models.CharField(max_length=200)
    replay_id = models.BinaryField(null=True)
    schema_id = models.CharField(max_length=64, blank=True)
    payload = models.BinaryField(default=b"")
    order_id = models.CharField(max_length=18, blank=True, db_index=True)
    idem_key = models.CharField(max_length=80, blank=True, db_index=True)
    correlation_id = models.CharField(max_length=80, blank=True)
    requested_by = models.CharField(max_length=80, blank=True)
    published_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=10, choices=State.choices)
    note = models.CharField(max_length=255, blank=True)  # why it is poison or ignored

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order_id"], condition=models.Q(state="waiting"), name="inbox_newest_alone_waits"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_uuid} ({self.state})"


class Attempt(models.Model):
    """One try at provisioning one order. Terminal states never change; a retry is a new attempt."""

    class State(models.TextChoices):
        QUEUED = "QUEUED", _("queued")
        RUNNING = "RUNNING", _("running")
        WAITING = "WAITING", _("waiting for the provider")
        UNKNOWN = "UNKNOWN", _("outcome unknown")
        PROVISIONED = "PROVISIONED", _("provisioned")
        FAILED = "FAILED", _("failed")
        SKIPPED = "SKIPPED", _("skipped")

    LIVE = (State.QUEUED, State.RUNNING, State.WAITING, State.UNKNOWN)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    order_id = models.CharField(max_length=18, db_index=True)  # Salesforce Order, 18 characters
    idem_key = models.CharField(max_length=80, unique=True)
    event = models.OneToOneField(InboxEvent, null=True, on_delete=models.SET_NULL, related_name="attempt")
    correlation_id = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.QUEUED)
    epoch = models.PositiveIntegerField(default=0)  # the fence: bumped by claim and by the sweeper
    lease_until = models.DateTimeField(null=True, blank=True)
    step = models.CharField(max_length=30, blank=True)
    ticket_ref = models.CharField(max_length=64, blank=True)
    check_at = models.DateTimeField(null=True, blank=True)
    give_up_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_text = models.CharField(max_length=255, blank=True)  # for staff; no personal data
    whmcs_order_id = models.PositiveBigIntegerField(null=True, blank=True)
    enqueued_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)  # workers on several hosts go by it
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["order_id"],
                condition=models.Q(state__in=["QUEUED", "RUNNING", "WAITING", "UNKNOWN"]),
                name="attempt_single_flight",
            )
        ]
        indexes = [
            models.Index(fields=["created_at"], condition=models.Q(state="QUEUED"), name="attempt_queue"),
            models.Index(fields=["lease_until"], condition=models.Q(state="RUNNING"), name="attempt_leases"),
            models.Index(
                fields=["order_id"],
                condition=models.Q(state="FAILED", error_code="identity_pending"),
                name="attempt_for_identity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id} {self.state}"


class Step(models.Model):
    """One step of an attempt, as staff read it. The remote call behind it is in the journal."""

    class State(models.TextChoices):
        STARTED = "STARTED", _("started")
        DONE = "DONE", _("done")
        UNKNOWN = "UNKNOWN", _("outcome unknown")
        FAILED = "FAILED", _("failed")

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="steps")
    name = models.CharField(max_length=30)
    state = models.CharField(max_length=8, choices=State.choices, default=State.STARTED)
    result = models.JSONField(default=dict, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["started_at", "id"]
        constraints = [models.UniqueConstraint(fields=["attempt", "name"], name="step_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"


class Outbox(models.Model):
    """A write to Salesforce that must arrive: repeated until it did or is superseded (decisions.md 25)."""

    class State(models.TextChoices):
        PENDING = "PENDING", _("pending")
        SENT = "SENT", _("sent")
        SUPERSEDED = "SUPERSEDED", _("superseded by a newer decision")
        REFUSED = "REFUSED", _("refused: needs a person")

    class Kind(models.TextChoices):
        OUTCOME = "sf_outcome", _("order, items and opportunity")
        OPPORTUNITY = "sf_opportunity", _("opportunity alone")

    kind = models.CharField(max_length=20, choices=Kind.choices)
    dedupe_key = models.CharField(max_length=120, unique=True)
    order_id = models.CharField(max_length=18, db_index=True)
    attempt = models.ForeignKey(Attempt, null=True, on_delete=models.SET_NULL, related_name="reports")
    payload = models.JSONField()
    correlation_id = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    tries = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["next_try_at"], condition=models.Q(state="PENDING"), name="outbox_due")]
        verbose_name_plural = "outbox"

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id}: {self.state}"


class Pause(models.Model):
    """The one row that stops claims: set by an Operator, or by the breaker for a minute (decisions.md 29)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    paused = models.BooleanField(default=False)
    reason = models.CharField(max_length=255, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    set_by = models.CharField(max_length=80, blank=True)
    unreachable_in_a_row = models.PositiveIntegerField(default=0)
    breaker_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="pause_one_row")]

    def __str__(self) -> str:
        return "paused" if self.paused else "running"


class Task(models.Model):
    """What only a person can decide or mend, written in the transaction of its cause, once per cause.

    The sentences are in provisioning.tasks; here are the facts they name. No personal data.
    """

    class Kind(models.TextChoices):
        REPORT_REFUSED = "report_refused", _("Salesforce refuses the outcome of an order")
        OPPORTUNITY_REFUSED = "opportunity_refused", _("Salesforce refuses to update an Opportunity")
        DUPLICATE_ACTIVE = "duplicate_active", _("Several WHMCS orders of one order")
        LIVE_SERVICE = "live_service", _("Live service of a cancelled order")
        PAID_INVOICE = "paid_invoice", _("Money taken for a cancelled order")
        LIVE_ESIM = "live_esim", _("Live eSIM of a cancelled order")
        CANNOT_LOOK = "cannot_look", _("The clean-up cannot decide about an order")
        STILL_UNKNOWN = "still_unknown", _("The outcome stays unknown")
        LOST_POSITION = "lost_position", _("Events may have been missed")
        READY_TO_RETRY = "ready_to_retry", _("Identity verified, ready to retry")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")

    kind = models.CharField(_("kind"), max_length=24, choices=Kind.choices)
    cause = models.CharField(max_length=120, unique=True)
    order_id = models.CharField(_("Salesforce order"), max_length=18, blank=True, db_index=True)
    attempt = models.ForeignKey(Attempt, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks")
    facts = models.JSONField(default=dict, blank=True)  # what the sentences name: WHMCS order, invoice, error, …
    state = models.CharField(_("state"), max_length=4, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.CharField(_("closed by"), max_length=254, blank=True)  # a member of staff, or "portal"
    close_reason = models.CharField(_("reason"), max_length=255, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        indexes = [models.Index(fields=["kind"], condition=models.Q(state="open"), name="task_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.order_id}".strip()


class Inspection(models.Model):
    """A look at what WHMCS holds for an order, due now or later: the order was cancelled, or a call may come late.

    One per cause; a cancelled order is looked at until nothing of it is left.
    """

    class Reason(models.TextChoices):
        CANCELLED = "cancelled", _("the order was cancelled")
        LATE = "late", _("a request may be carried out late")
        DUPLICATE = "duplicate", _("several WHMCS orders of one order")

    cause = models.CharField(max_length=60, unique=True)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    order_id = models.CharField(max_length=18, db_index=True)
    since = models.DateTimeField()  # when it was cancelled there, or the call's quarantine ended
    due_at = models.DateTimeField(null=True, blank=True)  # null: nothing more to look for
    looks = models.PositiveIntegerField(default=0)
    undecided = models.PositiveIntegerField(default=0, db_default=0)  # looks since the last that decided something
    looked_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=255, blank=True)  # of the last look, for staff

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="inspection_due")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.get_reason_display()}"
