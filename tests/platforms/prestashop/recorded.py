"""A platform that answers with recorded bodies, filtered by id as the webservice does, on a real socket."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from carts.platforms import connect
from carts.platforms.base import CartAdapter, Connection
from sandbox.messages import Request, Response
from sandbox.server import PracticeServer
from sandbox.shop import Shop

# The shop they were recorded on: its zone, its currencies and the states that are not among the recorded ones.
SETTINGS = {
    "PS_TIMEZONE": "America/New_York",
    "PS_LANG_DEFAULT": "1",
    "PS_OS_CANCELED": "6",
    "PS_OS_REFUND": "7",
    "PS_OS_ERROR": "8",
}
CURRENCIES = {"1": ("CLP", "0"), "2": ("USD", "2"), "3": ("EUR", "2")}
FLAGS = {"6": "00", "7": "00", "8": "00", "10": "00", "11": "10"}
LISTS = {"order_slip": "order_slips"}


def element(tag: str, **fields: str) -> Element:
    made = Element(tag)
    for name, text in fields.items():
        ElementTree.SubElement(made, name).text = text
    return made


class Recorded:
    """`rows` by resource."""

    address = "unused"

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.credentials = {"key": "K" * 32}
        self.rows: dict[str, list[Element]] = {
            "configurations": [element("configuration", id="1", name=n, value=v) for n, v in SETTINGS.items()],
            "currencies": [
                element("currency", id=key, iso_code=code, precision=digits)
                for key, (code, digits) in CURRENCIES.items()
            ],
            "order_states": [
                element("order_state", id=key, paid=flags[0], shipped=flags[1]) for key, flags in FLAGS.items()
            ],
        }

    def add(self, resource: str, path: Path) -> None:
        """A recorded body: one record, or a list of them."""
        root = parse(path).getroot()
        rows = [root[0]] if root[0].find("id") is not None else list(root[0])
        self.rows.setdefault(resource, []).extend(rows)

    def handle(self, request: Request) -> Response:
        resource = request.path.removeprefix("/api/")
        rows = self.rows.get(resource, [])
        for name, text in request.pairs:
            if name.startswith("filter[") and "," not in text and not text.startswith(">"):
                wanted = text.strip("[]").split("|")
                rows = [row for row in rows if (row.findtext(name[7:-1]) or "") in wanted]
        offset, count = map(int, request.args["limit"].split(","))
        root = Element("prestashop")
        listed = ElementTree.SubElement(root, LISTS.get(resource, resource))
        listed.extend(rows[offset : offset + count])
        body = b'<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root)
        return Response(200, body, [("PSWS-Version", "9.0.0")], content_type="text/xml;charset=utf-8")

    def refusal(self, status: int) -> Response:
        return Response(status)


@contextmanager
def replay(files: Iterable[tuple[str, Path]]) -> Iterator[CartAdapter]:
    """The adapter for a shop that has just these records."""
    shop = Shop()
    platform = Recorded(shop)
    for resource, path in files:
        platform.add(resource, path)
    server = PracticeServer(shop, platform)
    server.start()
    adapter = connect("prestashop", Connection(server.url, platform.credentials, timeout_seconds=3))
    try:
        yield adapter
    finally:
        adapter.close()
        server.stop()
        shop.close()
