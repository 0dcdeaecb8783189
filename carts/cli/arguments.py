"""The words that `manage.py cart` takes."""

from argparse import ArgumentParser
from typing import Any

from carts.choices import Kind
from carts.cli.values import SETTINGS
from carts.platforms import DEFAULT, REGISTRY

KINDS = {"orders": Kind.ORDER, "items": Kind.ITEM, "customers": Kind.CUSTOMER}
CREDENTIALS_HELP = "a JSON object or KEY=VALUE lines; - reads standard input"


def add_to(parser: ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")

    def action(name: str, text: str, *, cart: bool = True) -> Any:
        one = actions.add_parser(name, help=text, description=text)
        one.add_argument("--json", action="store_true", dest="as_json", help="one JSON document (docs/shell.md)")
        if cart:
            one.add_argument("cart", metavar="CART", help="name or id")
        return one

    action("list", "Every cart with its state.", cart=False)
    add = action("add", "Add a cart, STOPPED.", cart=False)
    add.add_argument("name", metavar="NAME")
    add.add_argument("url", metavar="URL", help="the address of the shop itself")
    add.add_argument("--platform", choices=sorted(REGISTRY), default=DEFAULT)
    add.add_argument("--credentials", metavar="FILE", required=True, help=CREDENTIALS_HELP)
    action("show", "One cart: settings, connection, feed.")
    change = action("set", f"Change settings: {', '.join(SETTINGS)}.")
    change.add_argument("pairs", metavar="FIELD=VALUE", nargs="*", help="times are ISO; without a zone the shop's")
    change.add_argument("--credentials", metavar="FILE", help=f"new ones; {CREDENTIALS_HELP}")
    action("test", "Test Connection.")
    rehearse = action("rehearse", "Read the live cart and tell what would be done; nothing is written.")
    rehearse.add_argument("--to-cart", action="store_true", help="what would change in the shop")
    start = action("start", "Start: orders are imported from now on.")
    start.add_argument("--without-rehearsal", action="store_true")
    action("stop", "Stop: nothing more is read or written.")
    action("sync", "Do what is due once, here: queued runs, and what passes both ways in a RUNNING cart.")
    imported = action("import", "Import records by their id in the shop, at any date.")
    imported.add_argument("kind", choices=KINDS)
    imported.add_argument("ids", metavar="ID", nargs="+")
    exported = action("export", "Send records of ours to the cart; what it has not got is created there.")
    exported.add_argument("kind", choices=("items", "customers"))
    exported.add_argument("keys", metavar="KEY", nargs="+", help="SKUs; codes or e-mail addresses of customers")
    exported.add_argument("--rehearse", action="store_true", help="tell what would be done; nothing is written")
    mapped = action("map", "The mapping as a CSV table: out, or in again.")
    mapped.add_argument("kind", choices=("items", "customers"))
    mapped.add_argument("--read", action="store_true", help="first read all from the cart, so that it can be mapped")
    mapped.add_argument("--import", dest="table", metavar="FILE", help="tell what this table would change")
    mapped.add_argument("--apply", action="store_true", help="with --import: change it")
    owners = action("owners", "Whose value of a field counts when both sides changed it.")
    owners.add_argument("pairs", metavar="FIELD=OWNER", nargs="*", help="item.price=ask|last|system|cart")
    resolve = action("resolve", "Decide conflicts by their id (see problems).")
    resolve.add_argument("side", choices=("ours", "theirs"))
    resolve.add_argument("ids", metavar="ID", nargs="+", type=int)
    problems = action("problems", "What needs a person, in one cart or in all.", cart=False)
    problems.add_argument("cart", metavar="CART", nargs="?", help="name or id; all carts without it")
    problems.add_argument("--limit", type=int, default=100, help="at most this many records (100)")
