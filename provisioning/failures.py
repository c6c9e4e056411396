"""Why an attempt failed: one word for people and statistics, and a sentence. What to do is in explanations.py."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from integrations.errors import Misconfigured, OutsideError, Rejected

TEXT_LIMIT = 255  # of Activation_Error__c as the portal fills it (decisions.md 34)


class Code(TextChoices):
    """Stored on the attempt and, before the colon, in Activation_Error__c."""

    PAYMENT_METHOD_MISSING = "payment_method_missing", _("The customer has no valid payment method.")
    IDENTITY_PENDING = "identity_pending", _("The customer's identity is not verified yet.")
    ORDER_NOT_APPROVED = "order_not_approved", _("The order is Activating, but its status is not Approved.")
    CLIENT_MISMATCH = "client_mismatch", _("The portal and the Account name different WHMCS clients.")
    NO_WHMCS_CLIENT = "no_whmcs_client", _("The Account names no WHMCS client.")
    PRODUCT_UNMAPPED = "product_unmapped", _("A product of the order cannot be ordered in WHMCS as it is set up.")
    ITEMS_CHANGED = "items_changed", _("The items differ from those already ordered in WHMCS.")
    ORDER_INCOMPLETE = "order_incomplete", _("The WHMCS order does not hold all items.")
    DUPLICATE_ACTIVE = "duplicate_active", _("More than one accepted WHMCS order carries this order's mark.")
    MARK_CONFLICT = "mark_conflict", _("The WHMCS order with this order's mark belongs to another order.")
    CANCELLED_IN_WHMCS = "cancelled_in_whmcs", _("The WHMCS order of this order was cancelled or deleted.")
    SERVICE_NOT_ACTIVE = "service_not_active", _("WHMCS accepted the order, but a service is not active.")
    WHMCS_ERROR = "whmcs_error", _("WHMCS refused.")
    WHMCS_UNREACHABLE = "whmcs_unreachable", _("WHMCS could not be reached; nothing was ordered.")
    ESIM_ERROR = "esim_error", _("The eSIM provider refused, or could not activate the line.")
    ESIM_UNREACHABLE = "esim_unreachable", _("The eSIM provider could not be reached; nothing was activated.")
    NO_ESIM_PROVIDER = "no_esim_provider", _("The order has an eSIM, and the portal knows no eSIM provider.")
    SF_ERROR = "sf_error", _("Salesforce refused to show the order.")
    SF_UNREACHABLE = "sf_unreachable", _("Salesforce could not be reached; nothing was ordered.")
    SF_LIMIT = "sf_limit", _("Salesforce's limit of API calls is used up; nothing was ordered.")
    OUTCOME_UNKNOWN = "outcome_unknown", _("A request was sent to WHMCS and no answer came.")
    INTERRUPTED = "interrupted", _("The worker stopped before WHMCS was sent anything.")
    LOST_REQUEST = "lost_request", _("The request to provision this order was lost.")
    MARKED_FAILED = "marked_failed", _("A member of staff ended the attempt.")
    INTERNAL_ERROR = "internal_error", _("The portal has an error; its developers have been told by the log.")
    UNKNOWN_ORDER = "unknown_order", _("Salesforce has no such order.")
    NOT_ACTIVATING = "not_activating", _("The order is not Activating.")


CUSTOMER_CAUSES = frozenset({Code.PAYMENT_METHOD_MISSING, Code.IDENTITY_PENDING})


class Failure(Exception):
    """Ends the attempt as FAILED. `cause` is a short text for staff without personal data."""

    def __init__(self, code: Code, cause: str = "") -> None:
        super().__init__(error_text(code, cause))
        self.code, self.cause = code, cause


class NotWanted(Exception):
    """Ends the attempt as SKIPPED: there is nothing to provision, and Salesforce is not written to."""

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code


def error_text(code: str, cause: str = "") -> str:
    """`code: cause` as Salesforce and the attempt keep it, one line of at most 255 characters."""
    line = " ".join(cause.split())
    return (f"{code}: {line}" if line else str(code))[:TEXT_LIMIT]


def from_outside(error: OutsideError) -> Failure:
    """What an outside error outside of a non-repeatable call means for the attempt: nothing was made by it."""
    cause = f"{error.operation}: {error.text or error.code}"
    if error.system == "salesforce":
        return Failure(_salesforce_code(error), cause)
    definite = isinstance(error, Rejected | Misconfigured)
    if error.system == "esim":
        return Failure(_esim_code(error, definite=definite), cause)
    return Failure(Code.WHMCS_ERROR if definite else Code.WHMCS_UNREACHABLE, cause)


def _esim_code(error: OutsideError, *, definite: bool) -> Code:
    if error.code == "not_configured":
        return Code.NO_ESIM_PROVIDER
    return Code.ESIM_ERROR if definite else Code.ESIM_UNREACHABLE


def _salesforce_code(error: OutsideError) -> Code:
    if "limit" in error.code.lower():
        return Code.SF_LIMIT
    return Code.SF_ERROR if isinstance(error, Rejected | Misconfigured) else Code.SF_UNREACHABLE
