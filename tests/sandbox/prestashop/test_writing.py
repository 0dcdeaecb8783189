"""POST, PUT and PATCH: what is stored, emptied and refused, as measured on a live server."""

import pytest
from defusedxml.ElementTree import fromstring

from tests.sandbox.prestashop.conftest import code


@pytest.fixture
def product(place):
    return place.shop.product_by_sku("SKU-0001")


def test_a_partial_put_empties_what_it_does_not_send(client, product):
    status, _ = client.write(
        "PUT", f"products/{product.id}", f"<product><id>{product.id}</id><price>3</price></product>"
    )
    assert status == 200
    assert (product.sku, product.status, product.name) == ("", "draft", "")


def test_a_patch_touches_what_it_sends_in_the_language_it_sends(client, place, product):
    name = '<name><language id="2">New</language></name>'
    assert client.write("PATCH", f"products/{product.id}", f"<product><id>{product.id}</id>{name}</product>")[0] == 200
    texts = {each.get("id"): each.text for each in client.get(f"products/{product.id}")[1].find("product/name")}
    assert texts == {"1": "Oak Bowl (es)", "2": "New"}
    assert product.sku == "SKU-0001"


def test_fields_that_are_read_only_are_refused_and_unknown_ones_ignored(client, product):
    start = f"<product><id>{product.id}</id>"
    status, root = client.write("PATCH", f"products/{product.id}", f"{start}<quantity>3</quantity></product>")
    assert (status, code(root)) == (400, "93")
    assert client.write("PATCH", f"products/{product.id}", f"{start}<nonsense>3</nonsense></product>")[0] == 200


@pytest.mark.parametrize(
    ("method", "inner", "status", "number"),
    [
        ("POST", "<product><id>3</id><price>1</price></product>", 400, "91"),
        ("POST", "<product><reference>A</reference></product>", 400, "41"),
        ("PUT", "<product><price>1</price></product>", 400, "90"),
        ("PATCH", "<product><id>99999</id></product>", 404, "92"),
        ("POST", "<product><price>1</price><name>a &lt; b</name></product>", 400, "84"),
    ],
)
def test_a_body_that_breaks_the_rules_is_refused_by_its_code(client, method, inner, status, number):
    answered, root = client.write(method, "products", inner)
    assert (answered, code(root)) == (status, number)


@pytest.mark.parametrize(
    "body", ['{"product": {"price": 1}}', "<prestashop><product>", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>']
)
def test_json_broken_xml_and_entities_are_500_with_code_127(client, body):
    answer = client.ask("POST", "products", body)
    assert (answer.status_code, code(fromstring(answer.content))) == (500, "127")


def test_a_doubled_reference_is_taken_and_a_doubled_email_is_not(client):
    assert (
        client.write("POST", "products", "<product><price>1</price><reference>SKU-0001</reference></product>")[0] == 201
    )
    person = "<firstname>A</firstname><lastname>B</lastname><passwd>secret123</passwd>"
    inner = f"<customer><email>customer1@example.test</email>{person}</customer>"
    status, root = client.write("POST", "customers", inner)
    assert (status, code(root)) == (500, "140")
    inner = "<customer><id>3</id><email>customer1@example.test</email></customer>"
    status, root = client.write("PATCH", "customers/3", inner)
    assert (status, code(root)) == (500, "141")


def stock(product, quantity) -> str:
    return f"<stock_available><id>{5000 + product.id}</id><quantity>{quantity}</quantity></stock_available>"


def test_rows_before_the_bad_one_are_stored_and_those_behind_it_are_not(client, place):
    three = [place.shop.product_by_sku(sku) for sku in ("SKU-0001", "SKU-0002", "SKU-0003")]
    was = three[2].stock
    inner = stock(three[0], 1) + stock(three[1], "abc") + stock(three[2], 3)
    status, root = client.write("PATCH", "stock_availables", inner)
    assert (status, code(root)) == (400, "85")
    assert (three[0].stock, three[2].stock) == (1, was)


def test_doubled_or_missing_ids_store_nothing(client, product):
    was = product.stock
    status, root = client.write("PATCH", "stock_availables", stock(product, 1) + stock(product, 2))
    assert (status, code(root), product.stock) == (400, "89", was)
    row = "<stock_available><quantity>1</quantity></stock_available>"
    status, root = client.write("PATCH", "stock_availables", stock(product, 1) + row)
    assert (status, code(root), product.stock) == (400, "90", was)


def test_stock_rows_are_neither_made_nor_deleted_and_a_put_needs_all_of_them(client, product):
    assert client.ask("POST", "stock_availables", "<prestashop/>").status_code == 405
    assert client.ask("DELETE", f"stock_availables/{5000 + product.id}").status_code == 405
    status, root = client.write("PUT", "stock_availables", stock(product, 1))
    assert (status, code(root)) == (400, "41")


def test_the_row_of_a_product_with_combinations_is_their_sum_whatever_is_written(client, place):
    parent = next(row for row in place.shop.products.rows.values() if row.kind == "variable")
    total = sum(place.shop.products.rows[child].stock for child in parent.children)
    status, root = client.write("PATCH", "stock_availables", stock(parent, 1))
    assert (status, root.findtext("stock_available/quantity")) == (200, str(total))


def test_a_combination_has_no_dates_and_saving_it_leaves_the_products_alone(client, place):
    parent = next(row for row in place.shop.products.rows.values() if row.kind == "variable")
    before, child = parent.modified, parent.children[0]
    inner = f"<combination><id>{child}</id><reference>OTHER</reference></combination>"
    assert client.write("PATCH", f"combinations/{child}", inner)[0] == 200
    assert (place.shop.products.rows[child].sku, parent.modified) == ("OTHER", before)
    assert client.get(f"combinations/{child}")[1].find("combination/date_upd") is None


def test_a_history_moves_the_order_on(client, place):
    order = place.shop.place_order(status="pending")
    inner = f"<order_history><id_order>{order.id}</id_order><id_order_state>6</id_order_state></order_history>"
    assert client.write("POST", "order_histories", inner)[0] == 201
    assert order.status == "cancelled"


def test_an_address_is_changed_without_moving_its_customer(client, place):
    customer = place.shop.customers.rows[2]
    before = customer.modified
    inner = "<address><id>20</id><city>Boston</city></address>"
    assert client.write("PATCH", "addresses/20", inner)[0] == 200
    assert (customer.billing.city, customer.modified) == ("Boston", before)
