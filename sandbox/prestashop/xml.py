"""The webservice's XML: bodies out, requests in, and refusals in its own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from sandbox.messages import Response

CONTENT_TYPE = "text/xml;charset=utf-8"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<prestashop xmlns:xlink="http://www.w3.org/1999/xlink">\n'
# A field is a text, a text by language id, or (under "associations") lists of (node, rows).
Row = Mapping[str, Any]


class ApiError(Exception):
    """A refusal with PrestaShop's code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message

    def response(self, version: str) -> Response:
        error = f"<error>\n<code>{cdata(str(self.code))}</code>\n<message>{cdata(self.message)}</message>\n</error>"
        return response(f"<errors>\n{error}\n</errors>", version, self.status)


def response(inner: str, version: str, status: int = 200) -> Response:
    body = f"{_HEAD}{inner}\n</prestashop>\n".encode()
    return Response(status, body, [("PSWS-Version", version)], content_type=CONTENT_TYPE)


def cdata(text: str) -> str:
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def node(name: str, row: Row, shown: Iterable[str] | None = None) -> str:
    """One record; `shown`: the only fields, None for all."""
    wanted = row if shown is None else [field for field in shown if field in row]
    parts = [_field(field, row[field]) for field in wanted]
    return f"<{name}>\n" + "\n".join(parts) + f"\n</{name}>"


def _field(name: str, value: Any) -> str:
    if name == "associations":
        return "<associations>\n" + "\n".join(_association(*each) for each in value.items()) + "\n</associations>"
    if isinstance(value, Mapping):
        texts = "".join(f'<language id="{each}">{cdata(text)}</language>' for each, text in value.items())
        return f"\t<{name}>{texts}</{name}>"
    return f"\t<{name}>{cdata(str(value))}</{name}>"


def _association(name: str, given: tuple[str, list[Row]]) -> str:
    inside, rows = given
    if not rows:
        return f'<{name} nodeType="{inside}"/>'
    return f'<{name} nodeType="{inside}">\n' + "\n".join(node(inside, row) for row in rows) + f"\n</{name}>"


def entities(body: bytes) -> list[Element]:
    """The records of a request's body, directly under its root. Raises ApiError 500 on what is no XML."""
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        shown = f"XML length : {len(body)}\nOriginal XML : {body.decode(errors='replace')}"
        raise ApiError(500, 127, f"XML error : String could not be parsed as XML\n{shown}") from None
    return list(root)


def value_of(element: Element) -> Any:
    """A field of a request: a text, or texts by language id."""
    texts = {each.get("id", ""): each.text or "" for each in element.findall("language")}
    return texts or (element.text or "")
