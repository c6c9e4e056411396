"""Allow-list, credentials and API roles, with the refusals of whmcs-wire §1.1 and §1.2."""

import hashlib
import hmac
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from sandbox.whmcs.access.switches import AccessSwitches
from sandbox.whmcs.answers import Refused
from sandbox.whmcs.php import PhpArray, text

FORBIDDEN = 403


@dataclass(frozen=True)
class Caller:
    """Who was let in; `allowed` are actions in lower case, None for all of them."""

    allowed: frozenset[str] | None


def check_address(settings: AccessSwitches, form: PhpArray, address: str) -> None:
    """Raises Refused for a banned address, and unless the address is listed, no list is kept, or the access key came
    along. The words for a ban are not confirmed by any source (§1.2)."""
    caller = _plain(address)
    if caller in settings.banned_addresses:
        raise Refused("Access Denied", FORBIDDEN)
    if not settings.ip_allow_list or caller in settings.ip_allow_list:
        return
    if settings.api_access_key and _same(text(form.get("accesskey")), settings.api_access_key):
        return
    raise Refused(f"Invalid IP {caller}", FORBIDDEN)


def _plain(address: str) -> str:
    """An IPv4 address that came through an IPv6 socket counts as the IPv4 address it is."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


def authenticate(settings: AccessSwitches, form: PhpArray) -> Caller:
    """Who calls: by identifier and secret, in either pair of field names, or by an administrator's login, whose
    password comes as its MD5 digest. HTTP's own Authorization header means nothing to WHMCS. Raises Refused."""
    name = text(form.get("identifier")) or text(form.get("username"))
    password = text(form.get("secret")) or text(form.get("password"))
    if not name or not password:
        raise Refused("Authentication Failed", FORBIDDEN)
    known = _known(settings, name)
    if known is None:
        raise Refused("Invalid or missing credentials", FORBIDDEN)
    expected, caller = known
    if not _same(password, expected):
        raise Refused("Authentication Failed", FORBIDDEN)
    if not (settings.admin_enabled and settings.admin_api_access):
        raise Refused("Access Denied", FORBIDDEN)
    return caller


def _known(settings: AccessSwitches, name: str) -> tuple[str, Caller] | None:
    """The password that belongs to the name, and what its holder may do. API roles bind credentials, not logins."""
    if _same(name, settings.api_identifier):
        return settings.api_secret, Caller(_lower(settings.api_role) if settings.api_role else None)
    for each in settings.api_credentials:
        if _same(name, each.identifier):
            allowed = [action for role in each.roles for action in settings.api_roles.get(role, [])]
            return each.secret, Caller(_lower(allowed))
    if _same(name, settings.admin_username):
        return hashlib.md5(settings.admin_password.encode(), usedforsecurity=False).hexdigest(), Caller(None)
    return None


def _lower(actions: list[str]) -> frozenset[str]:
    return frozenset(action.lower() for action in actions)


def check_role(caller: Caller, action: str) -> None:
    """Raises Refused when the caller may not call the action; its name comes back in lower case."""
    if caller.allowed is not None and action.lower() not in caller.allowed:
        raise not_allowed(action)


def not_allowed(action: str) -> Refused:
    """The refusal of an action that no API role of the caller lists."""
    return Refused(f'Invalid Permissions: API action "{action.lower()}" is not allowed', FORBIDDEN)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
