"""The installation's API credentials, roles, administrator and allow-list (whmcs-wire §1.1)."""

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Annotated

from pydantic import AfterValidator

from sandbox.whmcs.about import about


def _plain(address: str) -> str:
    """The address in its usual form. Raises ValueError for anything else."""
    return str(ip_address(address))


Address = Annotated[str, AfterValidator(_plain)]


@dataclass
class ApiCredential:
    """A further pair of identifier and secret; it may do what any of its roles allows."""

    identifier: str
    secret: str
    roles: list[str] = field(default_factory=list)


@dataclass
class AccessSwitches:
    """Who may call. All secrets are public on purpose: they open nothing but this sandbox."""

    api_identifier: str = "sandbox-identifier"
    api_secret: str = "sandbox-secret"  # noqa: S105 - public on purpose
    api_access_key: str = "sandbox-access-key"
    admin_username: str = "admin"
    admin_password: str = "sandbox-admin"  # noqa: S105 - public on purpose
    admin_enabled: bool = field(
        default=True, metadata=about("Whether the administrator behind every credential is enabled.")
    )
    admin_api_access: bool = field(
        default=True, metadata=about("Whether the administrator's role has the permission API Access.")
    )
    api_role: list[str] = field(
        default_factory=list, metadata=about("Actions that the first credential may call; none listed: all of them.")
    )
    api_roles: dict[str, list[str]] = field(
        default_factory=dict, metadata=about("Further API roles by name, each with the actions that it allows.")
    )
    api_credentials: list[ApiCredential] = field(
        default_factory=list, metadata=about("Further credentials; any one role that allows an action is enough.")
    )
    ip_allow_list: list[Address] = field(
        default_factory=list, metadata=about("Addresses that may call; none listed: every address.")
    )
    banned_addresses: list[Address] = field(
        default_factory=list, metadata=about("Addresses that are refused whatever they send.")
    )
    accept_get: bool = field(
        default=False, metadata=about("Whether parameters in the query string count, as one npm client sends them.")
    )
    unknown_action_status: int = field(
        default=200, metadata=about("HTTP status of the refusal of an action that does not exist.")
    )
    unknown_action_text: str = field(
        default='Invalid API Action: "{action}" is not a valid API action',
        metadata=about("Its text; installations before 8.x say: The requested API Action could not be found."),
    )
