"""What PHP makes of a request's body before the application sees it (whmcs-wire §1, §1.3)."""

from collections.abc import AsyncGenerator

from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from sandbox.whmcs.php import PhpArray, nest, parse_urlencoded

POST_MAX_SIZE = 8 * 1024 * 1024
_URLENCODED = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
# PHP drops what exceeds max_input_vars (`php.nest`); the parser only has to bear it.
_MOST_PARTS = 100_000


async def sent_form(request: Request, *, accept_get: bool) -> PhpArray:
    """The posted fields. Of the query string the access key alone counts, unless GET is accepted (§1)."""
    query = parse_urlencoded(request.url.query.encode())
    sent = query if accept_get else {name: query[name] for name in ("accesskey",) if name in query}
    return sent | await _posted(request)


async def _posted(request: Request) -> PhpArray:
    """`$_POST`: from the two form types, in any transfer encoding; other bodies, and too long ones, leave it empty."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (_URLENCODED, _MULTIPART):
        return {}
    body = await _body(request)
    if body is None:
        return {}
    return parse_urlencoded(body) if kind == _URLENCODED else await _multipart(request, body)


async def _body(request: Request) -> bytes | None:
    """The whole body, or None when it is longer than post_max_size; the rest of such a one is read and forgotten."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size <= POST_MAX_SIZE:
            pieces.append(piece)
    return b"".join(pieces) if size <= POST_MAX_SIZE else None


async def _multipart(request: Request, body: bytes) -> PhpArray:
    """The fields of a multipart body; files are PHP's `$_FILES`, which the API does not look at."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    _, options = parse_options_header(request.headers["content-type"])
    # PHP does not look at a charset.
    kind = b'multipart/form-data; boundary="%s"' % options.get(b"boundary", b"")
    parser = MultiPartParser(
        Headers(raw=[(b"content-type", kind)]),
        stream(),
        max_files=_MOST_PARTS,
        max_fields=_MOST_PARTS,
        max_part_size=POST_MAX_SIZE,
    )
    try:
        form = await parser.parse()
    except MultiPartException:
        # The body is no multipart, or its boundary is not named; PHP goes on with no fields.
        return {}
    fields = [(name, value) for name, value in form.multi_items() if not isinstance(value, UploadFile)]
    await form.close()
    return nest(fields)
