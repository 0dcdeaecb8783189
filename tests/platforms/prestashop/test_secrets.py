"""Password digests, keys of customers and our own key stay where they are."""

import logging

import pytest

from carts.errors import CartError, Unavailable
from carts.platforms.prestashop import UNKEPT_FIELDS
from carts.records import CUSTOMER, ITEM, ORDER, Listing, Window
from sandbox.messages import Request, Response
from sandbox.prestashop.people import SECRET_HASH, SECRET_KEY
from sandbox.prestashop.xml import ApiError
from tests.platforms.around import around
from tests.platforms.prestashop.conftest import rows_of


def everything(adapter) -> list:
    rows = []
    for kind in (ORDER, ITEM, CUSTOMER):
        rows += rows_of(adapter.fetch(kind, Window()))
        rows += adapter.page_by_id(kind, "").rows
        rows += adapter.listing(kind, Listing()).rows
    return rows + adapter.find(CUSTOMER, "customer1@example.test") + adapter.fetch_many(CUSTOMER, ["2", "3"])


def test_what_the_shop_shows_of_passwords_and_keys_is_in_no_record(place, adapter, caplog):
    caplog.set_level(logging.DEBUG)
    place.shop.place_order(customer_id=2)
    place.shop.place_order()
    rows = everything(adapter)
    assert len(rows) > 20
    told = (
        b"\n".join(row.body for row in rows).decode() + "".join(adapter.clean(row.body) for row in rows) + caplog.text
    )
    for secret in (SECRET_HASH, SECRET_KEY, place.platform.key, *(f"<{name}" for name in UNKEPT_FIELDS)):
        assert secret not in told


def test_a_secret_that_changes_is_no_change_of_the_record(place, adapter, monkeypatch):
    before = adapter.fetch_many(CUSTOMER, ["2"])[0].digest
    monkeypatch.setattr("sandbox.prestashop.people.SECRET_HASH", "$2y$10$another")
    place.shop.customers.forget_body(2)
    assert adapter.fetch_many(CUSTOMER, ["2"])[0].digest == before


def test_clean_takes_out_what_another_hand_left_in(adapter):
    body = (
        b'<record timezone="UTC"><customer><id>1</id><passwd>x1</passwd><secure_key>x2</secure_key></customer></record>'
    )
    assert adapter.clean(body) == '<record timezone="UTC"><customer><id>1</id></customer></record>'


def test_a_refusal_that_echoes_what_was_sent_gives_no_password_away(place, adapter):
    sent: list[bytes] = []

    def echo(request: Request, response: Response) -> None:
        if request.method == "POST":
            sent.append(request.body)
            # Near enough to the beginning to be within what is kept of an answer.
            echoed = request.body.decode().partition("<passwd>")
            wrong = ApiError(500, 127, f"Original XML : {echoed[1]}{echoed[2]}").response("9.0.0")
            response.status, response.body, response.content_type = 500, wrong.body, wrong.content_type
            place.shop.delete_customer(max(place.shop.customers.rows))

    with around(place, after=echo), pytest.raises(Unavailable) as failed:
        adapter.create_record(CUSTOMER, "new@example.test", {"name": "Ada Byron"})
    password = sent[0].decode().partition("<passwd>")[2].partition("</passwd>")[0]
    assert len(password) >= 32
    error = failed.value
    assert "Original XML" in error.detail
    assert password not in f"{error.sentence} {error.detail} {error!r}"


def test_the_key_goes_in_the_header_alone(place, adapter):
    seen: list[str] = []
    with around(place, before=lambda request: seen.append(f"{request.target} {request.body!r}")):
        everything(adapter)
    assert seen and not [text for text in seen if place.platform.key in text]


def test_no_error_shows_the_key(place, adapter):
    def echo(request: Request, response: Response) -> None:
        response.status, response.body = 500, f"<p>{place.platform.key}</p>".encode()

    with around(place, after=echo), pytest.raises(CartError) as failed:
        adapter.check()
    assert place.platform.key not in f"{failed.value.sentence} {failed.value.detail}"


@pytest.mark.parametrize(
    "body",
    [
        b'<?xml version="1.0"?><!DOCTYPE prestashop [<!ENTITY a "b">]><prestashop><orders>&a;</orders></prestashop>',
        b'<?xml version="1.0"?><!DOCTYPE prestashop SYSTEM "file:///etc/passwd"><prestashop><orders/></prestashop>',
    ],
)
def test_xml_that_means_harm_is_not_read(place, adapter, body):
    def replace(request: Request, response: Response) -> None:
        response.body = body

    with around(place, after=replace), pytest.raises(Unavailable):
        adapter.page_by_id(ORDER, "")
