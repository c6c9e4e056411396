"""Credentials of WHMCS' own OAuth server: CreateOAuthCredential to DeleteOAuthCredential."""

import base64
import secrets
from datetime import datetime

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, by_key, text, to_int, truthy
from sandbox.whmcs.sso import DESTINATIONS
from sandbox.whmcs.system.records import OAuthCredential

_GRANTS = ("authorization_code", "single_sign_on")
_SCOPES = frozenset({"openid", "profile", "email", "clientarea:sso", "clientarea:product_details", *DESTINATIONS})


def create_oauth_credential(whmcs: Whmcs, form: PhpArray) -> Answer:
    """A credential for one grant type. Not repeatable: each call makes another."""
    if not text(form.get("grantType")):
        raise Refused("A valid grant type is required.")
    _check_grant(form)
    if text(form["grantType"]) == "authorization_code" and not text(form.get("name")):
        raise Refused("A name for the Client Credential is required.")
    service_id = _service(whmcs, form) if text(form["grantType"]) == "single_sign_on" else 0
    if not text(form.get("scope")).split():
        raise Refused("At least one valid scope is required.")
    _check_scope(form)
    credential = OAuthCredential(
        id=whmcs.oauth_credentials.next_id(),
        identifier=f"SONIX-BILLING.{_random(16)}",
        secret=_random(64),
        grant_type=text(form["grantType"]),
        scope=" ".join(text(form["scope"]).split()),
        name=text(form.get("name")),
        description=text(form.get("description")),
        service_id=service_id,
        logo=text(form.get("logoUri")),
        redirects=_redirects(form),
        created=whmcs.timestamp(),
        updated=whmcs.timestamp(),
    )
    whmcs.oauth_credentials.put(credential)
    return Answer(
        {
            "credentialId": credential.id,
            "clientIdentifier": credential.identifier,
            "clientSecret": credential.secret,
        },
        key=str(credential.id),
    )


def _random(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode()


def _check_grant(form: PhpArray) -> None:
    grant = text(form.get("grantType"))
    if grant and grant not in _GRANTS:
        raise Refused(f'The requested grant type "{grant}" is invalid.')


def _check_scope(form: PhpArray) -> None:
    for scope in text(form.get("scope")).split():
        if scope not in _SCOPES:
            raise Refused(f'The requested scope "{scope}" is invalid.')


def _service(whmcs: Whmcs, form: PhpArray) -> int:
    if not text(form.get("serviceId")):
        raise Refused("A service ID is required for the single sign-on grant type.")
    service = whmcs.services.get(to_int(form["serviceId"]))
    if service is None:
        raise Refused("A valid Service ID is required.")
    if whmcs.clients.get(service.client_id) is None:
        raise Refused("Service ID not associated with valid Client.")
    return service.id


def _redirects(form: PhpArray) -> list[str]:
    return [text(each) for each in by_key(form.get("redirectUri")).values() if text(each)]


def list_oauth_credentials(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Credentials with their secrets, in a plain array; sorted by any of its fields."""
    grant = text(form.get("grantType"))
    rows = [_row(each) for each in whmcs.oauth_credentials.all() if grant in ("", each.grant_type)]
    field = text(form.get("sortField"))
    if rows and field in rows[0]:
        rows.sort(key=lambda row: str(row[field]))
    if text(form.get("sortOrder")).upper() == "DESC":
        rows.reverse()
    limit = to_int(form.get("limit"))
    return Answer({"clients": rows[:limit] if limit > 0 else rows})


def _row(credential: OAuthCredential) -> Payload:
    return {
        "credentialId": credential.id,
        "name": credential.name,
        "description": credential.description,
        "grantTypes": credential.grant_type,
        "scope": credential.scope,
        "clientIdentifier": credential.identifier,
        "clientSecret": credential.secret,
        "uuid": None,
        "serviceId": credential.service_id,
        "logoUri": credential.logo,
        "redirectUri": credential.redirects,
        "rsaKeyPairId": 0,
        "createdAt": _spoken(credential.created),
        "updatedAt": _spoken(credential.updated),
    }


def _spoken(stamp: str) -> str:
    """`18th November 2016 9:32:24am`."""
    moment = datetime.fromisoformat(stamp)
    day = moment.day
    ending = "th" if 11 <= day <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    half = "am" if moment.hour < 12 else "pm"
    return f"{day}{ending} {moment:%B %Y} {moment.hour % 12 or 12}:{moment:%M:%S}{half}"


def update_oauth_credential(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Changes what was sent; with `resetSecret` the answer holds a new secret."""
    credential = _wanted(whmcs, form)
    _check_grant(form)
    _check_scope(form)
    credential.grant_type = text(form.get("grantType")) or credential.grant_type
    if credential.grant_type == "single_sign_on" and (text(form.get("serviceId")) or not credential.service_id):
        credential.service_id = _service(whmcs, form)
    credential.name = text(form.get("name")) or credential.name
    if credential.grant_type == "authorization_code" and not credential.name:
        raise Refused("A name for the Client Credential is required.")
    credential.description = text(form.get("description")) or credential.description
    credential.scope = " ".join(text(form.get("scope")).split()) or credential.scope
    credential.logo = text(form.get("logoUri")) or credential.logo
    credential.redirects = _redirects(form) or credential.redirects
    credential.updated = whmcs.timestamp()
    reset: Payload = {}
    if truthy(form.get("resetSecret")):
        credential.secret = _random(64)
        reset = {"newClientSecret": credential.secret}
    whmcs.oauth_credentials.put(credential)
    return Answer({"credentialId": credential.id, **reset}, key=str(credential.id))


def _wanted(whmcs: Whmcs, form: PhpArray) -> OAuthCredential:
    identifier = text(form.get("clientApiIdentifier"))
    if not text(form.get("credentialId")) and not identifier:
        raise Refused("A Credential ID or Client Identifier is required.")
    if text(form.get("credentialId")):
        found, complaint = whmcs.oauth_credentials.get(to_int(form["credentialId"])), "Invalid Credential ID provided."
    else:
        found = next(iter(whmcs.oauth_credentials.find("identifier", identifier)), None)
        complaint = "Invalid Client Identifier provided."
    if found is None:
        raise Refused(complaint)
    return found


def delete_oauth_credential(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Takes a credential away."""
    credential = whmcs.oauth_credentials.get(to_int(form.get("credentialId")))
    if credential is None:
        raise Refused("Invalid Credential ID provided.")
    whmcs.oauth_credentials.delete(credential.id)
    return Answer({"credentialId": credential.id}, key=str(credential.id))
