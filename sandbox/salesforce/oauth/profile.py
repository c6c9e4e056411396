"""What a token says about its bearer: userinfo and the identity URL (salesforce-wire.md, section 2)."""

from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.salesforce.org import ORGANIZATION_ID
from sandbox.store import Record

_XML_NAMESPACE = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


def identity_url(origin: str, user_id: str) -> str:
    """Where the identity of a user is found."""
    return f"{origin}/id/{ORGANIZATION_ID}/{user_id}"


def userinfo(origin: str, user: Record, now: datetime) -> dict[str, Any]:
    """The body of /services/oauth2/userinfo, in OpenID Connect's words."""
    return {
        "sub": identity_url(origin, user["Id"]),
        "user_id": user["Id"],
        "organization_id": ORGANIZATION_ID,
        "preferred_username": user["Username"],
        "nickname": user["Alias"],
        "name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "given_name": user["FirstName"],
        "family_name": user["LastName"],
        "zoneinfo": user["TimeZoneSidKey"],
        "profile": f"{origin}/{user['Id']}",
        "updated_at": user["LastModifiedDate"],
        **_common(origin, user, now),
    }


def identity(origin: str, user: Record, now: datetime) -> dict[str, Any]:
    """The body of the identity URL."""
    return {
        "id": identity_url(origin, user["Id"]),
        "asserted_user": True,
        "user_id": user["Id"],
        "organization_id": ORGANIZATION_ID,
        "username": user["Username"],
        "nick_name": user["Alias"],
        "display_name": user["Name"],
        "email": user["Email"],
        "email_verified": True,
        "first_name": user["FirstName"],
        "last_name": user["LastName"],
        "timezone": user["TimeZoneSidKey"],
        "mobile_phone": None,
        "mobile_phone_verified": False,
        "last_modified_date": user["LastModifiedDate"],
        "is_app_installed": True,
        **_common(origin, user, now),
    }


def as_xml(body: dict[str, Any]) -> str:
    """The identity as the XML that `format=xml` asks for."""
    return f'<?xml version="1.0" encoding="UTF-8"?><user {_XML_NAMESPACE}>{_elements(body)}</user>'


def _elements(body: dict[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in body.items())


def _element(name: str, value: Any) -> str:
    if value is None:
        return f'<{name} xsi:nil="true"/>'
    if isinstance(value, dict):
        return f"<{name}>{_elements(value)}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text, quote=False)}</{name}>"


def _common(origin: str, user: Record, now: datetime) -> dict[str, Any]:
    offset = now.astimezone(ZoneInfo(user["TimeZoneSidKey"] or "GMT")).utcoffset()
    return {
        "urls": _urls(origin, user["Id"]),
        "active": user["IsActive"],
        "user_type": str(user["UserType"] or "Standard").upper(),
        "language": user["LanguageLocaleKey"],
        "locale": user["LocaleSidKey"],
        "utcOffset": int(offset.total_seconds() * 1000) if offset else 0,
    }


def _urls(origin: str, user_id: str) -> dict[str, str]:
    """Of the addresses that the platform names, those that there are here."""
    data = f"{origin}/services/data/v{{version}}"
    return {
        "enterprise": f"{origin}/services/Soap/c/{{version}}/{ORGANIZATION_ID[:15]}",
        "partner": f"{origin}/services/Soap/u/{{version}}/{ORGANIZATION_ID[:15]}",
        "rest": f"{data}/",
        "sobjects": f"{data}/sobjects/",
        "query": f"{data}/query/",
        "recent": f"{data}/recent/",
        "tooling_rest": f"{data}/tooling/",
        "profile": f"{origin}/{user_id}",
    }
