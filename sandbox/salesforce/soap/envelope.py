"""SOAP envelopes: read without trusting the XML, and written in the one order that clients count on."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from xml.parsers import expat

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_DEEPEST = 50


class BadEnvelope(Exception):
    """The text is no SOAP envelope."""


@dataclass(frozen=True)
class Operation:
    """The first element of an envelope's body, with the texts of the elements in it by their local names."""

    namespace: str
    name: str
    arguments: dict[str, str] = field(default_factory=dict)


class _Reader:
    """Follows the parser, whose callbacks its methods are: Envelope, Body, the operation, its arguments."""

    def __init__(self) -> None:
        self.operation: Operation | None = None
        self._path: list[tuple[str, str]] = []
        self._text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) == _DEEPEST:
            raise BadEnvelope("Elements are nested too deeply")
        namespace, _, local = name.rpartition("}")
        self._path.append((namespace, local))
        self._text = []
        if self._in_body(3) and self.operation is None:
            self.operation = Operation(namespace, local)

    def text(self, text: str) -> None:
        self._text.append(text)

    def end(self, _: str) -> None:
        if self._in_body(4) and self.operation is not None and self._path[2][1] == self.operation.name:
            self.operation.arguments.setdefault(self._path[3][1], "".join(self._text).strip())
        self._path.pop()
        self._text = []

    def document_type(self, *_: object) -> None:
        raise BadEnvelope("DOCTYPE is not allowed")

    def _in_body(self, depth: int) -> bool:
        return len(self._path) == depth and self._path[:2] == [(SOAP, "Envelope"), (SOAP, "Body")]


def read(content: bytes) -> Operation:
    """What an envelope asks for. Raises BadEnvelope."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator="}")
    # Without a document type there are no entities, and without entities nothing that grows or that is fetched.
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.document_type
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise BadEnvelope(str(error)) from error
    if reader.operation is None:
        raise BadEnvelope("There is no operation in the envelope's body")
    return reader.operation


# An element: its name, and either a text, None for nil, or the elements in it.
Element = tuple[str, "str | list[Element] | None"]


def write(namespace: str, elements: Iterable[Element]) -> bytes:
    """An envelope whose body has these elements, of this namespace and without a prefix."""
    return _envelope(f' xmlns="{namespace}"', "".join(_written(each) for each in elements))


def fault(namespace: str, code: str, message: str, kind: str) -> bytes:
    """A fault of the API: `code` is its exception code, `kind` the element with its details."""
    detail = [("sf:exceptionCode", code), ("sf:exceptionMessage", message)]
    body = (
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{_text(f'{code}: {message}')}</faultstring>"
        f'<detail><sf:{kind} xsi:type="sf:{kind}">{"".join(_written(each) for each in detail)}</sf:{kind}></detail>'
        "</soapenv:Fault>"
    )
    return _envelope(f' xmlns:sf="{namespace}"', body)


def client_fault(message: str) -> bytes:
    """A fault of the SOAP layer itself."""
    body = f"<soapenv:Fault><faultcode>soapenv:Client</faultcode><faultstring>{_text(message)}</faultstring>"
    return _envelope("", f"{body}</soapenv:Fault>")


def _envelope(namespaces: str, body: str) -> bytes:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}"{namespaces}'
        f' xmlns:xsi="{_XSI}"><soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>'
    )
    return text.encode("utf-8", "replace")


def _written(element: Element) -> str:
    name, content = element
    if content is None:
        return f'<{name} xsi:nil="true"/>'
    inner = _text(content) if isinstance(content, str) else "".join(_written(each) for each in content)
    return f"<{name}>{inner}</{name}>"


def _text(text: str) -> str:
    """A text as XML can carry it: of control characters it has only these three."""
    kept = "".join(char if char >= " " or char in "\t\n\r" else "\ufffd" for char in text)
    return escape(kept, quote=False)
