"""What a refusal of WHMCS means; it has texts only, no codes (whmcs-wire.md §1.2, §3)."""

import re

from integrations.errors import Misconfigured, OutsideError, Rejected
from integrations.masking import harmless

# Whole texts, so that a module's own "Authentication Failed: …" is not taken for ours.
OURS_TO_MEND = (
    (
        r"authentication failed|invalid or missing credentials|access denied",
        "credentials",
        "WHMCS refuses our credentials: check WHMCS_API_IDENTIFIER and WHMCS_API_SECRET.",
    ),
    (
        r"invalid ip [0-9a-f.:]+",
        "ip",
        "WHMCS does not let this machine's address in: add it to the API IP access restriction.",
    ),
    (
        r"invalid permissions: .*",
        "permission",
        "The API role of our credentials does not allow the action {action}: tick it in WHMCS.",
    ),
    (
        r"invalid api action: .*|the requested api action could not be found\.?|command not found",
        "action",
        "This WHMCS does not know the action {action}: check its version and WHMCS_API_URL.",
    ),
    (
        r"invalid payment method\..*",
        "payment_module",
        "WHMCS has no active payment module of the name in WHMCS_PAYMENT_METHOD.",
    ),
)
REASONS = (
    (r"order id not found or status not pending", "not_pending"),
    (r"already exists with that email|not available for use|duplicate email", "email_taken"),
    (r"client status is closed", "client_closed"),
    (r"sso authentication blocked", "sso_blocked"),
    (r"not assigned to a module", "no_module"),
    (r"not found|does not exist|invalid (client|service|order|invoice|user)[ _]?id", "not_found"),
)
FORBIDDEN = 403


def refusal(action: str, message: str, status: int) -> OutsideError:
    """Misconfigured with a sentence when it is about us, else Rejected with a code; the text is masked."""
    said = message.strip().lower()
    for pattern, code, sentence in OURS_TO_MEND:
        if re.fullmatch(pattern, said, re.DOTALL):
            return Misconfigured("whmcs", action, code, sentence.format(action=action))
    if status == FORBIDDEN:
        return Misconfigured("whmcs", action, "forbidden", f"WHMCS forbids the call: {harmless(message)}")
    code = next((code for pattern, code in REASONS if re.search(pattern, said)), "rejected")
    return Rejected("whmcs", action, code, harmless(message))
