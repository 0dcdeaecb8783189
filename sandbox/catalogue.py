"""Products, stock and customers: what staff of the shop do to them, and what orders do to stock."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.records import Customer, Line, Order, Product
from sandbox.state import ShopState


class Catalogue(ShopState):
    """Every method that changes a record also moves its modified time, as the real shop does."""

    def add_product(
        self,
        sku: str,
        name: str,
        price: str = "",
        *,
        stock: int | None = None,
        parent: Product | None = None,
        option: str = "",
        created: datetime | None = None,
        **fields: Any,
    ) -> Product:
        """Add a product, or a variation of `parent` with its `option` ("L"). `stock` None: not managed."""
        moment = created or self.clock.now()
        number = self.next_id("post", 11)
        product = Product(
            id=number,
            created=moment,
            modified=moment,
            name=name,
            sku=sku or (f"item-{number}" if self.skus_are_required else ""),
            regular_price=price,
            kind="variation" if parent else fields.pop("kind", "simple"),
            parent_id=parent.id if parent else 0,
            option=option,
            manages_stock=stock is not None,
            stock=stock,
            **fields,
        )
        self.restate_stock(product)
        with self.changing():
            self.save(self.products, product)
            if parent:
                parent.kind = "variable"
                parent.children.append(product.id)
                self.save(self.products, parent)
        return product

    def touch_product(self, product: Product, moment: datetime | None = None) -> None:
        """Save a product as changed now; saving a variation saves its parent too, as WooCommerce does."""
        product.modified = moment or self.clock.now()
        self.restate_stock(product)
        with self.changing():
            self.save(self.products, product)
            parent = self.products.rows.get(product.parent_id)
            if parent and self.sales_touch_products:
                parent.modified = product.modified
                self.save(self.products, parent)

    def touch_stock(self, product: Product) -> None:
        """Save a quantity that a sale has moved."""
        if self.sales_touch_products:
            self.touch_product(product)
            return
        self.restate_stock(product)
        with self.changing():
            self.save(self.products, product)

    @staticmethod
    def restate_stock(product: Product) -> None:
        """Keep the in-stock word in step with a managed quantity."""
        if product.manages_stock:
            product.stock = product.stock or 0
            out = "onbackorder" if product.backorders != "no" else "outofstock"
            product.stock_status = "instock" if product.stock > 0 else out

    def product_by_sku(self, sku: str) -> Product | None:
        """The product or variation with this exact SKU that is not in the trash."""
        live = (p for p in self.products.rows.values() if p.sku == sku and p.status != "trash")
        return next(live, None) if sku else None

    def set_stock(self, sku: str, quantity: int) -> Product:
        """Set a product's quantity, as an edit in the shop's admin would. Raises KeyError on an unknown SKU."""
        product = self._need(sku)
        product.manages_stock, product.stock = True, quantity
        product.extra.pop("is_in_stock", None)  # said anew with the quantity, where the platform says it apart
        self.touch_product(product)
        return product

    def rename_sku(self, sku: str, new_sku: str) -> Product:
        """Give a product another SKU. Lines of its orders read the new one, their orders' times stay."""
        product = self._need(sku)
        product.sku = new_sku
        self.touch_product(product)
        self.forget_orders_of({product.id})
        return product

    def trash_product(self, product_id: int) -> None:
        """Put a product into the trash; its SKU stays taken for new products."""
        product = self.products.rows[product_id]
        product.status = "trash"
        self.touch_product(product)

    def delete_product(self, product_id: int) -> None:
        """Delete for good, with its variations; lines of orders keep their name and lose product and SKU."""
        product = self.products.rows[product_id]
        gone = {product_id, *product.children}
        with self.changing():
            for each in gone:
                self.erase(self.products, each)
            parent = self.products.rows.get(product.parent_id)
            if parent:
                parent.children.remove(product_id)
                self.touch_product(parent)
            self.forget_orders_of(gone)

    def forget_orders_of(self, product_ids: set[int]) -> None:
        """Encode anew the orders whose lines show one of these products."""
        for order in self.orders.rows.values():
            if any(line.product_id in product_ids or line.variation_id in product_ids for line in order.lines):
                self.orders.forget_body(order.id)

    def stock_holder(self, line: Line) -> Product | None:
        """Whose quantity a line takes: the variation's own, else its parent's, else nobody's."""
        for product_id in (line.variation_id, line.product_id):
            product = self.products.rows.get(product_id)
            if product and product.manages_stock:
                return product
        return None

    def move_stock(self, order: Order, taken: bool) -> None:
        """Take what the order's lines hold, or give it back; each line remembers what it took."""
        for line in order.lines:
            product = self.stock_holder(line)
            if product is None or bool(line.stock_taken) == taken:
                continue
            change = line.quantity if taken else line.stock_taken
            product.stock = (product.stock or 0) - change if taken else (product.stock or 0) + change
            product.total_sales += change if taken else -change
            line.stock_taken = change if taken else 0
            self.touch_stock(product)

    def add_customer(self, email: str, first_name: str = "", last_name: str = "", **fields: Any) -> Customer:
        """Register a customer. `fields` as in records.Customer. The caller sees to it that the e-mail is new."""
        customer = Customer(
            id=self.next_id("user", 1),
            created=fields.pop("created", None) or self.clock.now(),
            email=email,
            first_name=first_name,
            last_name=last_name,
            username=fields.pop("username", None) or email.split("@")[0],
            **fields,
        )
        with self.changing():
            self.save(self.customers, customer)
        return customer

    def edit_customer(self, customer_id: int, **changes: Any) -> Customer:
        """Change fields of a customer (as in records.Customer) and its modified time."""
        customer = self.customers.rows[customer_id]
        assign(customer, changes)
        customer.modified = self.clock.now()
        with self.changing():
            self.save(self.customers, customer)
        return customer

    def delete_customer(self, customer_id: int) -> None:
        """Delete a customer for good; the orders stay and become a guest's."""
        with self.changing():
            self.erase(self.customers, customer_id)
            for order in [o for o in self.orders.rows.values() if o.customer_id == customer_id]:
                order.customer_id = 0
                self.save(self.orders, order)

    def customer_by_email(self, email: str) -> Customer | None:
        wanted = email.lower()
        return next((c for c in self.customers.rows.values() if c.email.lower() == wanted), None)

    def _need(self, sku: str) -> Product:
        product = self.product_by_sku(sku)
        if product is None:
            raise KeyError(f"The shop has no product with SKU {sku!r}.")
        return product


def assign(record: Any, changes: dict[str, Any]) -> None:
    """Set fields of a struct. Raises AttributeError on a field it does not have."""
    for name, value in changes.items():
        setattr(record, name, value)
