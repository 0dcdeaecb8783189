"""An order and a refund as WooCommerce shows them, field for field."""

from __future__ import annotations

from typing import Any

from sandbox.money import RATES_BY_ID
from sandbox.records import ZERO, Coupon, Fee, Line, Order, Refund, Shipping, TaxLine, TaxShare
from sandbox.shop import Shop
from sandbox.woocommerce.looks import SYMBOLS, VERSION, address, bare, gmt, links, local, meta, number

# Line ids times this leave room for a line's pieces of metadata, so their ids never meet.
_META_STRIDE = 8


def order_body(shop: Shop, order: Order) -> dict[str, Any]:
    """The body of GET orders/{id}."""
    zone = shop.zone
    waits = order.status in ("pending", "failed") and order.total > 0
    return {
        **_head(shop, order),
        "customer_id": order.customer_id,
        "order_key": order.key,
        "billing": address(order.billing, with_email=True),
        "shipping": address(order.shipping, with_email=False),
        "payment_method": order.payment_method,
        "payment_method_title": order.payment_title,
        "transaction_id": order.transaction_id,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": order.created_via,
        "customer_note": order.note,
        "date_completed": local(order.completed, zone),
        "date_paid": local(order.paid, zone),
        "cart_hash": "",
        "number": str(order.id),
        "meta_data": order.meta,
        "line_items": [line_body(shop, line) for line in order.lines],
        "tax_lines": [_tax_line(line) for line in order.taxes],
        "shipping_lines": [_shipping(line) for line in order.shipping_lines],
        "fee_lines": [_fee(fee) for fee in order.fees],
        "coupon_lines": [_coupon(coupon) for coupon in order.coupons],
        "refunds": [_refund_line(refund) for refund in order.refunds],
        "payment_url": f"{shop.url}/checkout/order-pay/{order.id}/?pay_for_order=true&key={order.key}",
        "is_editable": order.status in ("pending", "on-hold", "auto-draft"),
        "needs_payment": waits,
        "needs_processing": any(line.product_id in shop.products.rows for line in order.lines),
        "date_created_gmt": gmt(order.created),
        "date_modified_gmt": gmt(order.modified),
        "date_completed_gmt": gmt(order.completed),
        "date_paid_gmt": gmt(order.paid),
        "currency_symbol": SYMBOLS.get(order.currency, order.currency),
        "_links": _order_links(shop, order),
    }


def _head(shop: Shop, order: Order) -> dict[str, Any]:
    """Who and what the order is, and its totals."""
    return {
        "id": order.id,
        "parent_id": 0,
        "status": order.status,
        "currency": order.currency,
        "version": VERSION,
        "prices_include_tax": False,
        "date_created": local(order.created, shop.zone),
        "date_modified": local(order.modified, shop.zone),
        "discount_total": str(order.discount_total),
        "discount_tax": str(order.discount_tax),
        "shipping_total": str(order.shipping_total),
        "shipping_tax": str(order.shipping_tax),
        "cart_tax": str(order.cart_tax),
        "total": str(order.total),
        "total_tax": str(order.total_tax),
    }


def _order_links(shop: Shop, order: Order) -> dict[str, Any]:
    root = f"{shop.url}/wp-json/wc/v3"
    block = links(shop.url, f"orders/{order.id}", "orders")
    templates = f"{root}/orders/{order.id}/actions/email_templates"
    block["email_templates"] = [{"embeddable": True, "href": templates}]
    if order.customer_id:
        block["customer"] = [{"href": f"{root}/customers/{order.customer_id}"}]
    return block


def line_body(shop: Shop, line: Line, refunded_line: int = 0) -> dict[str, Any]:
    """One line; what the product lends it (SKU, names) is read from the product as it is now."""
    product = shop.products.rows.get(line.variation_id or line.product_id)
    parent = shop.products.rows.get(line.product_id) if product and line.variation_id else None
    return {
        "id": line.id,
        "name": line.name,
        "product_id": line.product_id if product else 0,
        "variation_id": line.variation_id if product else 0,
        "quantity": line.quantity,
        "tax_class": line.tax_class,
        "subtotal": str(line.subtotal),
        "subtotal_tax": str(line.subtotal_tax),
        "total": str(line.total),
        "total_tax": str(line.total_tax),
        "taxes": _shares(line.taxes),
        "meta_data": _line_meta(line, product.option if product else "", refunded_line),
        "sku": (product.sku or (parent.sku if parent else "")) if product else None,
        "global_unique_id": "" if product else None,
        "price": _unit_price(line),
        "image": {"id": "" if product and parent is None else 0, "src": ""},
        "parent_name": parent.name if parent else None,
    }


def _unit_price(line: Line) -> int | float:
    # PHP divides two doubles, which is where 3.3333333333333335 comes from.
    price = float(line.total) / (line.quantity or 1)
    return int(price) if price == int(price) else price


def _line_meta(line: Line, option: str, refunded_line: int) -> list[dict[str, Any]]:
    pieces = []
    if option:
        pieces.append(("size", option, "Size"))
    if line.stock_taken:
        pieces.append(("_reduced_stock", str(line.stock_taken), None))
    if line.restocked:
        pieces.append(("_restock_refunded_items", str(line.restocked), None))
    if refunded_line:
        pieces.append(("_refunded_item_id", str(refunded_line), None))
    return [meta(line.id * _META_STRIDE + place, *piece) for place, piece in enumerate(pieces)]


def _shares(shares: list[TaxShare]) -> list[dict[str, Any]]:
    return [
        {
            "id": share.rate_id,
            "total": str(share.total),
            "subtotal": "" if share.subtotal is None else str(share.subtotal),
        }
        for share in shares
    ]


def _tax_line(line: TaxLine) -> dict[str, Any]:
    rate = RATES_BY_ID[line.rate_id]
    return {
        "id": line.id,
        "rate_code": rate.code,
        "rate_id": rate.id,
        "label": rate.label,
        "compound": False,
        "tax_total": str(line.tax_total),
        "shipping_tax_total": str(line.shipping_tax_total),
        "rate_percent": number(rate.percent),
        "meta_data": [],
    }


def _shipping(line: Shipping) -> dict[str, Any]:
    return {
        "id": line.id,
        "method_title": line.title,
        "method_id": line.method,
        "instance_id": "",
        "total": str(line.total),
        "total_tax": str(line.total_tax),
        "taxes": _shares(line.taxes),
        "tax_status": "taxable",
        "meta_data": [],
    }


def _fee(fee: Fee) -> dict[str, Any]:
    return {
        "id": fee.id,
        "name": fee.name,
        "tax_class": fee.tax_class,
        "tax_status": "taxable" if fee.is_taxable else "none",
        "amount": "",
        "total": str(fee.total),
        "total_tax": str(fee.total_tax),
        "taxes": _shares(fee.taxes),
        "meta_data": [],
    }


def _coupon(coupon: Coupon) -> dict[str, Any]:
    # The real shop leaves the kind out of this note when the coupon is a fixed one.
    kind = '"percent"' if coupon.kind == "percent" else "null"
    info = f'[{coupon.id},"{coupon.code}",{kind},{bare(coupon.nominal)}]'
    return {
        "id": coupon.id,
        "code": coupon.code,
        "discount": bare(coupon.discount),
        "discount_tax": bare(coupon.discount_tax),
        "meta_data": [meta(coupon.id * _META_STRIDE, "coupon_info", info)],
        "discount_type": "percent" if coupon.kind == "percent" else "fixed_cart",
        "nominal_amount": number(coupon.nominal),
        "free_shipping": False,
    }


def _refund_line(refund: Refund) -> dict[str, Any]:
    return {
        "id": refund.id,
        "reason": refund.reason,
        "total": str(-refund.amount),
        "total_tax": str(refund.total_tax or ZERO),
    }


def refund_body(shop: Shop, refund: Refund, *, is_global: bool = False) -> dict[str, Any]:
    """The body of GET orders/{id}/refunds/{id}; the global list names the order as well."""
    kept = shop.orders.rows[refund.order_id]
    is_full = refund.amount == kept.total
    lines = zip(refund.lines, refund.refunded_lines, strict=True)
    order_path = f"orders/{refund.order_id}"
    body = {
        "id": refund.id,
        "date_created": local(refund.created, shop.zone),
        "date_created_gmt": gmt(refund.created),
        "amount": str(refund.amount),
        "reason": refund.reason,
        "refunded_by": 1,
        "refunded_payment": False,
        "meta_data": [
            {
                "id": refund.id * _META_STRIDE,
                "key": "_refund_type",
                "value": "full" if is_full else "partial",
            }
        ],
        "line_items": [line_body(shop, line, refunded) for line, refunded in lines],
        "shipping_lines": [],
        "tax_lines": [_tax_line(line) for line in refund.taxes],
        "fee_lines": [],
        "_links": links(
            shop.url,
            f"{order_path}/refunds/{refund.id}",
            f"{order_path}/refunds",
            up=order_path,
            allow=["GET", "DELETE"],
        ),
    }
    return {"id": refund.id, "parent_id": refund.order_id, **body} if is_global else body
