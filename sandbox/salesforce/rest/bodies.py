"""What a request carries: JSON, perhaps gzipped, or a record with its file beside it (salesforce-wire.md 3.9)."""

import base64
import json
import zlib
from typing import Any, NoReturn

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from sandbox.salesforce.errors import ApiError

# Of a text body, unpacked (section 3.9).
LARGEST_TEXT = 50 * 1024 * 1024
# Salesforce takes files of 2 GB; what stands in memory as a whole has to be smaller.
LARGEST_UPLOAD = 128 * 1024 * 1024
_DEEPEST = 100
_WITHOUT_BODY = frozenset({"GET", "HEAD", "DELETE"})


async def read(request: Request) -> Any:
    """The JSON value of the request's body; None without one. Raises ApiError."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method in _WITHOUT_BODY:
        return None
    if kind == "multipart/form-data":
        return await _multipart(request)
    content = _unpacked(request, await _content(request, LARGEST_TEXT))
    if not content:
        return None
    if kind != "application/json":
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"Content type not supported: {kind or 'none'}")
    return parse(content)


def parse(content: bytes) -> Any:
    """A JSON text. Raises ApiError JSON_PARSER_ERROR for what is none, or no Unicode, or nested beyond reason."""
    try:
        value = json.loads(content, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise ApiError("JSON_PARSER_ERROR", _syntax_error(error)) from error
    except ValueError as error:
        raise ApiError("JSON_PARSER_ERROR", "Invalid UTF-8 or number in the request body") from error
    except RecursionError as error:
        raise _too_deep() from error
    _refuse_depth(value)
    return value


async def _content(request: Request, most: int) -> bytes:
    """The body as it was sent. Raises ApiError as soon as it grows too large."""
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > most:
            raise _too_large(most)
        pieces.append(piece)
    return b"".join(pieces)


def _unpacked(request: Request, content: bytes) -> bytes:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity" or not content:
        return content
    if encoding not in ("gzip", "deflate"):
        raise ApiError("UNSUPPORTED_MEDIA_TYPE", f"Content encoding not supported: {encoding}")
    # 32 + the largest window: zlib tells gzip from deflate by the header.
    unpacker = zlib.decompressobj(32 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(content, LARGEST_TEXT + 1)
    except zlib.error as error:
        raise ApiError("JSON_PARSER_ERROR", "Not in GZIP format") from error
    if len(unpacked) > LARGEST_TEXT:
        raise _too_large(LARGEST_TEXT)
    return unpacked


async def _multipart(request: Request) -> dict[str, Any]:
    """A record with its bytes: one part of JSON, and one file named like the field it is for."""
    if _announced(request) > LARGEST_UPLOAD:
        raise _too_large(LARGEST_UPLOAD)
    try:
        async with request.form(max_files=2, max_fields=2, max_part_size=LARGEST_TEXT) as form:
            parts = [(name, await _part(part), _is_binary(part)) for name, part in form.multi_items()]
    except (HTTPException, ValueError) as error:
        raise _bad_multipart("Unable to parse the multipart message") from error
    texts = [content for _, content, binary in parts if not binary]
    files = [(name, content) for name, content, binary in parts if binary]
    if not texts:
        raise _bad_multipart("Multipart message must include a non-binary part")
    if len(texts) > 1 or len(files) > 1:
        raise _bad_multipart(f"Cannot include more than one {'binary' if len(files) > 1 else 'non-binary'} part")
    record = parse(texts[0])
    if not isinstance(record, dict):
        raise _bad_multipart("The non-binary part is no record")
    return record | {name: base64.b64encode(content).decode("ascii") for name, content in files}


def _announced(request: Request) -> int:
    """How long the sender says the body is; nothing where it does not say so."""
    length = request.headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdecimal() else 0


async def _part(part: UploadFile | str) -> bytes:
    return await part.read() if isinstance(part, UploadFile) else part.encode()


def _is_binary(part: UploadFile | str) -> bool:
    """A part is text unless it has a file name; JSON is text even then."""
    return isinstance(part, UploadFile) and not (part.content_type or "").startswith("application/json")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _syntax_error(error: json.JSONDecodeError) -> str:
    where = f"at [line:{error.lineno}, column:{error.colno}]"
    if error.pos >= len(error.doc):
        return f"Unexpected end-of-input {where}"
    wrong = error.doc[error.pos]
    return f"Unexpected character ('{wrong}' (code {ord(wrong)})): {error.msg.lower()} {where}"


def _refuse_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > _DEEPEST:
            raise _too_deep()
        level = [inner for each in level for inner in _inside(each)]


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> ApiError:
    return ApiError("JSON_PARSER_ERROR", f"The request body is nested more than {_DEEPEST} levels deep")


def _too_large(most: int) -> ApiError:
    return ApiError(
        "EXCEEDED_MAX_SIZE_REQUEST", f"Maximum size of request reached. Maximum size of request is {most} bytes"
    )


def _bad_multipart(message: str) -> ApiError:
    return ApiError("INVALID_MULTIPART_REQUEST", message)
