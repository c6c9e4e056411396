"""Who may call: allow-list, credentials and API roles, with the refusals of whmcs-wire §1.1 and §1.2."""

import hashlib
import hmac

from sandbox.whmcs.answers import Refused
from sandbox.whmcs.php import PhpArray, text
from sandbox.whmcs.records import Settings

FORBIDDEN = 403


def check_address(settings: Settings, form: PhpArray, address: str) -> None:
    """Raises Refused unless the caller's address is listed, no list is kept, or the access key came along."""
    if not settings.ip_allow_list or address in settings.ip_allow_list:
        return
    if settings.api_access_key and _same(text(form.get("accesskey")), settings.api_access_key):
        return
    raise Refused(f"Invalid IP {address}", FORBIDDEN)


def check_credentials(settings: Settings, form: PhpArray) -> None:
    """Raises Refused unless identifier and secret, in either pair of field names, or an admin's login is right."""
    name = text(form.get("identifier")) or text(form.get("username"))
    password = text(form.get("secret")) or text(form.get("password"))
    if not name or not password:
        raise Refused("Authentication Failed", FORBIDDEN)
    expected = _expected(settings, name)
    if expected is None:
        raise Refused("Invalid or missing credentials", FORBIDDEN)
    if not _same(password, expected):
        raise Refused("Authentication Failed", FORBIDDEN)


def _expected(settings: Settings, name: str) -> str | None:
    if _same(name, settings.api_identifier):
        return settings.api_secret
    if _same(name, settings.admin_username):
        return hashlib.md5(settings.admin_password.encode(), usedforsecurity=False).hexdigest()
    return None


def check_role(settings: Settings, action: str) -> None:
    """Raises Refused when the credential's API role does not list the action; an empty role allows everything."""
    if settings.api_role and action.lower() not in {each.lower() for each in settings.api_role}:
        raise Refused(f'Invalid Permissions: API action "{action.lower()}" is not allowed', FORBIDDEN)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
