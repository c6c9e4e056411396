"""What to do about each refusal of the token endpoint: one sentence for whoever is there (salesforce-wire.md §2)."""

import re

from integrations.errors import Misconfigured, OutsideError, Unavailable

# (a part of the description, lower-cased; what we call it; the sentence)
GRANT_REFUSALS = (
    (
        "hasn't approved this consumer",
        "not_approved",
        "The client app is not pre-authorised for the user in SF_USERNAME: assign the app's permission set to it.",
    ),
    (
        "audience",
        "audience",
        "Salesforce does not accept SF_AUDIENCE: set it to https://login.salesforce.com, or for a sandbox to "
        "https://test.salesforce.com.",
    ),
    (
        "invalid assertion",
        "assertion",
        "Salesforce cannot verify our signature: compare SF_PRIVATE_KEY_PATH with the certificate of the client app, "
        "and check this machine's clock.",
    ),
    ("inactive user", "user", "The user in SF_USERNAME is inactive: activate it in Salesforce."),
    ("user is locked", "user", "The user in SF_USERNAME is locked: unlock it in Salesforce."),
    (
        "ip restricted",
        "ip",
        "Salesforce does not let this machine's address in: allow it in the app's or the profile's IP ranges.",
    ),
    ("inactive org", "org", "The Salesforce org is inactive or locked: ask its administrator."),
    (
        "authentication failure",
        "user",
        "Salesforce does not know the user in SF_USERNAME here: check SF_USERNAME and SF_LOGIN_URL.",
    ),
)
OTHER_REFUSALS = {
    "invalid_client_id": "Salesforce does not know SF_CLIENT_ID: copy the consumer key of the client app.",
    "invalid_client": "Salesforce refuses the client app: check SF_CLIENT_ID and the app's OAuth settings.",
    "invalid_app_access": "The user in SF_USERNAME may not use the client app: assign the app's permission set to it.",
    "app_not_found": "The client app is not installed in this org: install it, or check SF_LOGIN_URL.",
    "unsupported_grant_type": "The JWT bearer flow is switched off for the client app: switch it on in its settings.",
    "invalid_request": "Salesforce finds our sign-in request malformed: check SF_TOKEN_URL.",
}
UNLISTED = "Salesforce refuses our sign-in ({error}): check SF_CLIENT_ID, SF_USERNAME and the client app."


def refusal(error: str, description: str) -> OutsideError:
    """The error to raise. Too many sign-ins pass by themselves (Unavailable), all else needs a person."""
    said = description.lower()
    if "rate" in said and "exceeded" in said:
        return Unavailable("salesforce", "token", "login_rate", "Too many sign-ins; Salesforce wants us to wait.")
    if error == "invalid_grant":
        for part, code, sentence in GRANT_REFUSALS:
            if part in said:
                return Misconfigured("salesforce", "token", code, sentence)
    plain = error if re.fullmatch(r"[a-z_]{1,40}", error) else "no reason given"
    sentence = OTHER_REFUSALS.get(error) or UNLISTED.format(error=plain)
    return Misconfigured("salesforce", "token", plain, sentence)
