"""What the faulty answers say."""

import html
from collections.abc import Iterator

from sandbox.faults.exchange import Recorded
from sandbox.faults.kinds import http

_MAINTENANCE = {
    "salesforce": ("Salesforce", "We are down for maintenance. Sorry for the inconvenience. We'll be back shortly."),
    "whmcs": ("Down for Maintenance (Err 3)", "We are currently performing maintenance and will be back shortly."),
    "esim": ("Service Temporarily Unavailable", "The service is closed for its daily maintenance."),
}
_BEGINNING = b'{"result":"success","totalSize":1,"done":true,"filler":"'
_BLOCK = b"x" * 65_536


def maintenance(system: str, status: int) -> Recorded:
    """The page a system shows when it is closed."""
    title, text = (html.escape(each, quote=False) for each in _MAINTENANCE[system])
    page = (
        f'<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title></head>\n'
        f"<body><h1>{title}</h1><p>{text}</p></body>\n</html>\n"
    )
    return Recorded(status).with_headers(content_type="text/html; charset=utf-8").with_body(page.encode())


def replacement(system: str, fault: http.Replacement) -> Recorded:
    """The whole answer that a fault puts in place of the system's own; for Huge only how it begins."""
    match fault:
        case http.Html():
            return maintenance(system, fault.status)
        case http.HttpError():
            typed = Recorded(fault.status).with_headers(content_type=fault.content_type)
            return typed.with_body(fault.body.encode())
        case http.Redirect():
            return Recorded(fault.status).with_headers(location=fault.location).with_body(b"")
        case http.Empty():
            return Recorded(fault.status).with_body(b"")
        case _:
            return Recorded(200).with_headers(content_type="application/json")


def huge(size: int) -> Iterator[bytes]:
    """JSON of that many bytes that never comes to its end."""
    yield _BEGINNING[:size]
    rest = size - len(_BEGINNING)
    for _ in range(rest // len(_BLOCK)):
        yield _BLOCK
    if rest > 0:
        yield _BLOCK[: rest % len(_BLOCK)]


def with_notice(answer: Recorded, text: str) -> Recorded:
    """The answer as PHP sends it with display_errors on."""
    place = "<b>/home/whmcs/public_html/includes/hooks/portal.php</b> on line <b>41</b>"
    notice = f"<br />\n<b>Warning</b>:  {text} in {place}<br />\n"
    return answer.with_headers(content_type="text/html; charset=UTF-8").with_body(notice.encode() + answer.body)
