"""What the shop did to an order after it was imported, as to-dos for the document. Pure."""

from carts import gateway
from carts.records import CartOrder, OrderLine

COMPARED = ("total", "tax_total", "discount_total", "currency", "billing", "shipping")


def todos_of_change(before: CartOrder | None, after: CartOrder) -> list["gateway.NewTodo"]:
    """`before` is the order as it was imported or last seen; None when `after` is being imported just now."""
    todos = []
    known_refunds = {refund.external_id for refund in before.refunds} if before else set()
    for refund in after.refunds:
        if refund.external_id not in known_refunds:
            because = f" ({refund.reason})" if refund.reason else ""
            text = f"The shop refunded {refund.amount} {after.currency}{because}. Decide what to book for it."
            details = {"refund": refund.external_id, "amount": str(refund.amount), "currency": after.currency}
            todos.append(gateway.NewTodo(key=f"refund:{refund.external_id}", text=text, details=details))
    if after.is_cancelled and not (before and before.is_cancelled):
        text = f"The order is {after.status} in the shop. Cancel this document, or keep it if the goods have left."
        todos.append(gateway.NewTodo(key=f"cancelled:{after.status}", text=text, details={"status": after.status}))
    if before:
        todos += _edits(before, after)
    return todos


def _edits(before: CartOrder, after: CartOrder) -> list["gateway.NewTodo"]:
    differing = [name for name in COMPARED if getattr(before, name) != getattr(after, name)]
    if [_charged(line) for line in before.lines] != [_charged(line) for line in after.lines]:
        differing.append("lines")
    if not differing:
        return []
    names = ", ".join(name.replace("_", " ") for name in differing)
    text = f"The order was edited in the shop after its import ({names})."
    if before.total != after.total:
        text += f" Its total was {before.total} and is {after.total} {after.currency} now."
    details = {
        name: {"before": _shown(getattr(before, name)), "after": _shown(getattr(after, name))} for name in differing
    }
    return [gateway.NewTodo(key=f"edited:{after.modified_at:%Y%m%dT%H%M%S}", text=text, details=details)]


def _charged(line: OrderLine) -> tuple[object, ...]:
    """Without SKU and product: they change on old orders when the product is renamed or deleted."""
    return (line.kind, line.description, line.quantity, line.net, line.tax)


def _shown(value: object) -> object:
    if isinstance(value, tuple):
        return [f"{line.quantity:f} x {line.sku or line.description}: {line.net} + {line.tax}" for line in value]
    return str(value)
