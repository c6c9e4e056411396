"""Pages of visitors as they were last built, in this process's memory; every browser gets them with its own form token.

Only what is no person's may be put here: `catalog.caching` says which requests those are.
"""

import re
from collections import OrderedDict
from collections.abc import Hashable
from itertools import chain, repeat
from threading import Lock

from django.http import HttpRequest
from django.middleware.csrf import CSRF_TOKEN_LENGTH, get_token

MOST = 256  # pages of some 30 kB
TOKEN = re.compile(rb'(?<=name="csrfmiddlewaretoken" value=")([A-Za-z0-9]{%d})(?=")' % CSRF_TOKEN_LENGTH)
Parts = tuple[bytes, ...]  # what lies before, between and after the tokens

_pages: OrderedDict[Hashable, Parts] = OrderedDict()
_lock = Lock()


def look(key: Hashable, request: HttpRequest) -> bytes | None:
    """The page kept under `key` with a form token of this request's browser; None when there is none."""
    with _lock:
        parts = _pages.get(key)
        if parts is not None:
            _pages.move_to_end(key)
    return None if parts is None else _with_token(parts, request)


def keep(key: Hashable, content: bytes) -> None:
    """Keeps a page without the form tokens in it; not at all when a token stands anywhere but in its form field."""
    parts = TOKEN.split(content)
    texts, tokens = tuple(parts[0::2]), set(parts[1::2])
    if any(token in text for token in tokens for text in texts):
        return
    with _lock:
        _pages[key] = texts
        _pages.move_to_end(key)
        while len(_pages) > MOST:
            _pages.popitem(last=False)


def forget() -> None:
    """Forgets every page of this process."""
    with _lock:
        _pages.clear()


def _with_token(parts: Parts, request: HttpRequest) -> bytes:
    """A page without a form asks for no token, and so sets no cookie."""
    if len(parts) == 1:
        return parts[0]
    token = get_token(request).encode()
    return b"".join(chain.from_iterable(zip(parts, repeat(token, len(parts) - 1), strict=False))) + parts[-1]
