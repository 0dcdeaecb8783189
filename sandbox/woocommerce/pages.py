"""A few plain pages, so that links from a panel lead somewhere."""

from __future__ import annotations

from datetime import datetime
from html import escape

from sandbox.messages import Request, Response, html_response
from sandbox.records import Order
from sandbox.shop import Shop

_FRAME = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd }}
</style></head><body><h1>{title}</h1>{content}</body></html>"""
# The page shows this many of the latest orders.
_SHOWN = 25


def handle(shop: Shop, request: Request) -> Response:
    """The shop's front page, its admin's list and an order's page; 404 for anything else."""
    with shop.lock:
        if request.path == "/":
            return _page(shop.name, _front(shop))
        if request.path.rstrip("/") == "/wp-admin" or request.path == "/wp-admin/edit.php":
            return _page("Orders", _orders(shop))
        if request.path in ("/wp-admin/post.php", "/wp-admin/admin.php"):
            number = str(request.args.get("post") or request.args.get("id") or "")
            if not number:
                return _page("Orders", _orders(shop))
            order = shop.orders.rows.get(int(number)) if number.isdigit() else None
            if order is not None:
                return _page(f"Order #{order.id}", _order(shop, order))
            return _page("Not found", "<p>This shop has no such order.</p>", 404)
    return _page("Not found", "<p>This shop has no such page.</p>", 404)


def _page(title: str, content: str, status: int = 200) -> Response:
    return html_response(_FRAME.format(title=escape(title), content=content), status)


def _front(shop: Shop) -> str:
    return f"""<p>This is a practice shop: it speaks the WooCommerce REST API, its buyers are made up
and nothing here costs money. Connect a cart to <code>{escape(shop.url)}</code>.</p>
<p>{len(shop.orders.rows)} orders, {len(shop.products.rows)} products and variations,
{len(shop.customers.rows)} customers. Shop time: {_time(shop, shop.clock.now())} ({escape(shop.zone.key)}).</p>
<h2>Latest orders</h2>{_orders(shop)}"""


def _orders(shop: Shop) -> str:
    latest = [shop.orders.rows[each] for _, each in shop.orders.by_created[: -_SHOWN - 1 : -1]]
    rows = "".join(
        f'<tr><td><a href="/wp-admin/admin.php?page=wc-orders&amp;action=edit&amp;id={order.id}">#{order.id}</a></td>'
        f"<td>{_time(shop, order.created)}</td><td>{escape(order.status)}</td><td>{escape(_buyer(order))}</td>"
        f"<td>{order.total} {escape(order.currency)}</td></tr>"
        for order in latest
    )
    heads = "<tr><th>Order</th><th>Placed</th><th>Status</th><th>Buyer</th><th>Total</th></tr>"
    return f"<table>{heads}{rows}</table>"


def _order(shop: Shop, order: Order) -> str:
    def row(name: str, quantity: object, total: object, tax: object) -> str:
        return f"<tr><td>{escape(name)}</td><td>{quantity}</td><td>{total}</td><td>{tax}</td></tr>"

    rows = [row(line.name, line.quantity, line.total, line.total_tax) for line in order.lines]
    rows += [row(part.title, "", part.total, part.total_tax) for part in order.shipping_lines]
    rows += [row(fee.name, "", fee.total, fee.total_tax) for fee in order.fees]
    rows += [row(f"Refund: {each.reason}", "", -each.amount, "") for each in order.refunds]
    heads = "<tr><th>Line</th><th>Quantity</th><th>Total</th><th>Tax</th></tr>"
    return f"""<p>{escape(order.status)}, placed {_time(shop, order.created)} by {escape(_buyer(order))}</p>
<table>{heads}{"".join(rows)}</table><p><strong>Total {order.total} {escape(order.currency)}</strong></p>
<p><a href="/wp-admin/">All orders</a></p>"""


def _buyer(order: Order) -> str:
    who = order.billing
    return f"{who.first_name} {who.last_name} <{who.email}>".strip()


def _time(shop: Shop, moment: datetime) -> str:
    return moment.astimezone(shop.zone).strftime("%Y-%m-%d %H:%M:%S")
