"""An order as the Admin API shows it, made of the shop's neutral one.

`Order.extra` holds what the other platforms do not have: `test`, `presentment` (money.Purse), `tip`, `duties`,
`cash_rounding` and `gift_card_paid` (amounts as texts), `gift_cards` (ids of lines that sell one) and `sold` (by line
id the line as it was before the order was edited; see selling.edit_quantity).
"""

from __future__ import annotations

from decimal import ROUND_UP, Decimal
from typing import Any

from msgspec import Struct, convert

from sandbox.money import CENT
from sandbox.records import ZERO, Address, Fee, Line, Order, Refund, TaxShare
from sandbox.shop import Shop
from sandbox.shopify.looks import gid, iso, place
from sandbox.shopify.money import Purse

_PAID = ("processing", "completed")


class Charged(Struct):
    """One line of the order: what was sold at first, and what of it is still there, without tax and with its shares."""

    line_id: int
    name: str
    sku: str
    product_id: int
    variant_id: int
    quantity: int
    subtotal: Decimal
    subtotal_tax: Decimal
    net: Decimal
    taxes: list[TaxShare]
    current_quantity: int
    current_net: Decimal
    current_taxes: list[TaxShare]


def order_body(shop: Shop, order: Order, taxes_included: bool) -> dict[str, Any]:
    purse = Purse(order)
    lines = charged_lines(order)
    return {
        "__typename": "Order",
        "id": gid("Order", order.id),
        "legacyResourceId": str(order.id),
        "name": f"#{order.id}",
        "test": bool(order.extra.get("test")),
        "edited": bool(order.extra.get("sold")),
        "createdAt": iso(order.created),
        "processedAt": iso(order.created),
        "updatedAt": iso(order.modified),
        "cancelledAt": iso(order.modified) if order.status in ("cancelled", "failed") else None,
        "email": order.billing.email or None,
        "note": order.note or None,
        "taxesIncluded": taxes_included,
        "dutiesIncluded": False,
        "currencyCode": purse.currency,
        "presentmentCurrencyCode": purse.presentment,
        "displayFinancialStatus": financial_status(order),
        "fullyPaid": order.paid is not None,
        "paymentGatewayNames": gateways(order),
        "customer": order.customer_id,
        "billingAddress": place(order.billing, f"billing-{order.id}"),
        "shippingAddress": place(_shipping_place(order), f"shipping-{order.id}"),
        **_totals(order, lines, purse),
        "lineItems": [_line(line, order, purse, taxes_included) for line in lines],
        "shippingLines": _shipping(order, purse, taxes_included),
        "refunds": [_refund(refund, purse, taxes_included) for refund in reversed(order.refunds)],
        "transactions": _transactions(order, purse),
        "additionalFees": [_fee(fee, purse) for fee in order.fees],
    }


def _shipping_place(order: Order) -> Address:
    return order.shipping if order.shipping.country else order.billing


def financial_status(order: Order) -> str:
    if order.status == "refunded":
        return "REFUNDED"
    if order.status in ("cancelled", "failed"):
        return "VOIDED"
    if order.paid is None:
        return "PENDING"
    return "PARTIALLY_REFUNDED" if order.refunds else "PAID"


def gateways(order: Order) -> list[str]:
    names = [order.payment_title or order.payment_method or "bogus"]
    return ["gift_card", *names] if order.extra.get("gift_card_paid") else names


def _extra(order: Order, name: str) -> Decimal:
    return Decimal(order.extra.get(name, "0"))


def charged_lines(order: Order) -> list[Charged]:
    return [_charged(order, line) for line in order.lines]


def _charged(order: Order, line: Line) -> Charged:
    sold = order.extra.get("sold", {}).get(str(line.id))
    first = convert(sold, Line, strict=False) if sold else line
    back = [
        part
        for refund in order.refunds
        for part, line_id in zip(refund.lines, refund.refunded_lines, strict=True)
        if line_id == line.id
    ]
    taxes = list(line.taxes)
    for part in back:
        taxes = _added(taxes, part.taxes)
    return Charged(
        line_id=line.id,
        name=line.name or line.sku or "Item",
        sku=line.sku,
        product_id=line.product_id,
        variant_id=line.variation_id or line.product_id,
        quantity=first.quantity,
        subtotal=first.subtotal,
        subtotal_tax=first.subtotal_tax,
        net=first.total,
        taxes=list(first.taxes),
        current_quantity=line.quantity + sum(part.quantity for part in back),
        current_net=line.total + sum((part.total for part in back), ZERO),
        current_taxes=taxes,
    )


def _added(shares: list[TaxShare], more: list[TaxShare]) -> list[TaxShare]:
    """By rate; nothing of the given is changed."""
    totals = {share.rate_id: share.total for share in shares}
    for share in more:
        totals[share.rate_id] = totals.get(share.rate_id, ZERO) + share.total
    return [TaxShare(rate_id, total) for rate_id, total in totals.items()]


def _tax(shares: list[TaxShare]) -> Decimal:
    return sum((share.total for share in shares), ZERO)


def _totals(order: Order, lines: list[Charged], purse: Purse) -> dict[str, Any]:
    more = _extra(order, "tip") + _extra(order, "duties") + sum((fee.total for fee in order.fees), ZERO)
    more_tax = order.shipping_tax + sum((fee.total_tax for fee in order.fees), ZERO)
    current_tax = sum((_tax(line.current_taxes) for line in lines), ZERO) + more_tax
    sold_tax = sum((_tax(line.taxes) for line in lines), ZERO) + more_tax
    current_net = sum((line.current_net for line in lines), ZERO) + order.shipping_total
    sold_net = sum((line.net for line in lines), ZERO) + order.shipping_total
    refunded = sum((refund.amount for refund in order.refunds), ZERO)
    current, sold, received = current_net + current_tax + more, sold_net + sold_tax + more, ZERO
    if order.paid is not None:
        received = sold + _extra(order, "cash_rounding")
    bag = purse.bag
    duties = bag(_extra(order, "duties")) if order.extra.get("duties") else None
    return {
        "totalPriceSet": bag(sold),
        "currentTotalPriceSet": bag(current),
        "totalTaxSet": bag(sold_tax),
        "currentTotalTaxSet": bag(current_tax),
        "totalDiscountsSet": bag(order.discount_total),
        "currentTotalDiscountsSet": bag(order.discount_total),
        "originalTotalDutiesSet": duties,
        "currentTotalDutiesSet": duties,
        "totalTipReceivedSet": bag(_extra(order, "tip")),
        "totalReceivedSet": bag(received),
        "totalRefundedSet": bag(refunded),
        "totalOutstandingSet": bag(ZERO if order.paid is not None else current),
        "totalCashRoundingAdjustment": {
            "paymentSet": bag(_extra(order, "cash_rounding")),
            "refundSet": bag(ZERO),
        },
    }


def _line(line: Charged, order: Order, purse: Purse, taxes_included: bool) -> dict[str, Any]:
    before, charged = line.subtotal, line.net
    if taxes_included:
        before, charged = before + line.subtotal_tax, charged + _tax(line.taxes)
    # The neutral shop's prices are without tax, so that a unit with it may be no whole cent: the rest is a discount.
    unit = (before / line.quantity).quantize(CENT, ROUND_UP) if line.quantity else ZERO
    discount = unit * line.quantity - charged
    duties = _extra(order, "duties") if order.lines and line.line_id == order.lines[0].id else ZERO
    return {
        "__typename": "LineItem",
        "id": gid("LineItem", line.line_id),
        "sku": line.sku or None,
        "name": line.name,
        "title": line.name.rpartition(" - ")[0] or line.name,
        "variantTitle": line.name.rpartition(" - ")[2] if " - " in line.name else None,
        "quantity": line.quantity,
        "currentQuantity": line.current_quantity,
        "isGiftCard": line.line_id in order.extra.get("gift_cards", ()),
        "variant": line.variant_id,
        "product": line.product_id,
        "originalUnitPriceSet": purse.bag(unit),
        "discountAllocations": [{"allocatedAmountSet": purse.bag(discount)}] if discount else [],
        "taxLines": purse.taxes(line.taxes),
        "duties": [{"id": gid("Duty", line.line_id), "price": purse.bag(duties), "taxLines": []}] if duties else [],
    }


def _fee(fee: Fee, purse: Purse) -> dict[str, Any]:
    """What other platforms call a fee; the real shop has few of that kind, and none below nothing."""
    body = {"id": gid("AdditionalFee", fee.id), "name": fee.name, "price": purse.bag(fee.total)}
    return {**body, "taxLines": purse.taxes(fee.taxes)}


def _shipping(order: Order, purse: Purse, taxes_included: bool) -> list[dict[str, Any]]:
    lines = []
    for line in order.shipping_lines:
        price = purse.bag(line.total + (line.total_tax if taxes_included else ZERO))
        lines.append(
            {
                "id": gid("ShippingLine", line.id),
                "title": line.title,
                "isRemoved": False,
                "discountedPriceSet": price,
                "currentDiscountedPriceSet": price,
                "taxLines": purse.taxes(line.taxes),
            }
        )
    return lines


def _refund(refund: Refund, purse: Purse, taxes_included: bool) -> dict[str, Any]:
    lines = [
        {
            "quantity": -part.quantity,
            "lineItem": {"id": gid("LineItem", line_id)},
            "subtotalSet": purse.bag(-part.total - (part.total_tax if taxes_included else ZERO)),
            "totalTaxSet": purse.bag(-part.total_tax),
        }
        for part, line_id in zip(refund.lines, refund.refunded_lines, strict=True)
    ]
    return {
        "__typename": "Refund",
        "id": gid("Refund", refund.id),
        "createdAt": iso(refund.created),
        "note": refund.reason or None,
        "totalRefundedSet": purse.bag(refund.amount),
        "refundLineItems": lines,
    }


def _transactions(order: Order, purse: Purse) -> list[dict[str, Any]]:
    if order.paid is None:
        return []
    by_card = _extra(order, "gift_card_paid")
    sales = [("gift_card", by_card)] if by_card else []
    sales.append((gateways(order)[-1], order.total + _extra(order, "tip") + _extra(order, "duties") - by_card))
    rows = [
        {"kind": "SALE", "status": "SUCCESS", "gateway": gateway, "amountSet": purse.bag(amount)}
        for gateway, amount in sales
    ]
    rows += [
        {"kind": "REFUND", "status": "SUCCESS", "gateway": sales[-1][0], "amountSet": purse.bag(refund.amount)}
        for refund in reversed(order.refunds)
    ]
    return [{"id": gid("OrderTransaction", f"{order.id}{place:03d}"), **row} for place, row in enumerate(rows, 1)]
