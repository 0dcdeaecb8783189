"""Do lists answer as fast when there is much? python -m bench.lists '{"databases": {"few": URL, "many": URL}, ...}'

PostgreSQL only. Two databases in one server, with few and with many records, asked in turns. Prints seconds as JSON.
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from bench.measuring import alternate, seconds_of
from bench.world import database, make_cart

if TYPE_CHECKING:
    from django.test import Client

ROUNDS_AT_ONCE = 5  # one answer takes milliseconds
# Of one cart: N orders, all imported but for 100 that are held (people work those off, so they do not grow), and a
# run for every ten orders. Every list has more than one page.
FILL = """
INSERT INTO backoffice_customer (code, name, name_key, company, phone, billing, shipping, created_at, modified_at)
    SELECT 'C-' || n, 'Customer ' || n, 'customer ' || n, '', '', '{}', '{}', now(), now()
    FROM generate_series(1, 1000) n;
INSERT INTO backoffice_document (type, number, state, customer_id, currency, total, net_total, tax_total,
    shipping_total, discount_total, exchange, placed_at, created_at, source, source_ref, source_number, billing,
    shipping, payment_method, note)
    SELECT 'sales_order', 'SO-' || n, (ARRAY['pending', 'approved'])[1 + n %% 2], first.id + n %% 1000, 'USD', n, n, 0,
    0, 0, '{}', now() - n * interval '1 minute', now(), %(source)s, n, n, '{}', '{}', 'Card', ''
    FROM generate_series(1, %(number)s) n, (SELECT min(id) AS id FROM backoffice_customer) first;
INSERT INTO carts_record (cart_id, kind, external_id, parent_id, label, name, state, reason_code, reason, digest,
    payload, local_id, picked_by_hand, placed_at, modified_at, shop_status, total, currency, seen_at, changed_at)
    SELECT %(cart)s, 'order', source_ref, '', source_ref, 'Buyer', 'imported', '', '', '\\x00', '{}', id, false,
    placed_at, placed_at, 'processing', total, 'USD', now(), placed_at
    FROM backoffice_document;
UPDATE carts_record SET state = 'held', reason_code = 'unknown_sku', local_id = NULL
    WHERE external_id IN (SELECT (n * %(number)s / 100)::text FROM generate_series(1, 100) n);
INSERT INTO carts_heldfor (record_id, cart_id, reason_code, key, external_item_id, label)
    SELECT id, cart_id, reason_code, 'sku-' || id %% 20, '', 'SKU' FROM carts_record WHERE state = 'held';
INSERT INTO carts_run (cart_id, kind, record_kind, state, started_by, created_at, counts, parameters, error,
    lease_token)
    SELECT %(cart)s, 'sync', 'order', 'done', '', now(), '{"new": 1}', '{}', '', ''
    FROM generate_series(1, %(number)s / 10);
"""


def main() -> None:
    given = json.loads(sys.argv[1])
    with database(given["databases"]["few"]):
        clients = {}
        for size, url in given["databases"].items():
            connect(url)
            clients[size] = fill(given[size])
        sides = {
            f"{name}/{size}": partial(answer, url, clients[size], name)
            for name in pages()
            for size, url in given["databases"].items()
        }
        print(json.dumps(alternate(sides, given["pairs"])))


def connect(url: str) -> None:
    """Work on this database of the same server from now on."""
    from django.db import connection

    connection.close()
    connection.settings_dict["NAME"] = url.rpartition("/")[2]


def answer(url: str, client: "Client", name: str) -> float:
    """Seconds an answer, once the connection is open and the pages are in memory."""
    connect(url)
    address = pages()[name]()
    if client.get(address).status_code != 200:
        raise RuntimeError(f"{address} answers {client.get(address).status_code}, so its time means nothing.")
    return seconds_of(lambda: [client.get(address) for _ in range(ROUNDS_AT_ONCE)]) / ROUNDS_AT_ONCE


def fill(number: int) -> "Client":
    """Make the tables and a cart with this many orders; a browser that is signed in."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client

    call_command("migrate", verbosity=0)
    cart = make_cart("http://shop.example.test")
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"number": number, "cart": cart.pk, "source": cart.source})
        cursor.execute("VACUUM ANALYZE")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("bench"))
    return client


def pages() -> dict[str, Callable[[], str]]:
    """The address of each list, by its name."""
    from django.urls import reverse

    from carts.models import Cart

    return {
        "Orders": lambda: reverse("carts:orders", args=[Cart.objects.get().pk]),
        "Problems": lambda: reverse("carts:problems"),
        "Runs": lambda: reverse("carts:runs"),
        "Documents": lambda: reverse("admin:backoffice_document_changelist"),
        "Documents, PENDING": lambda: reverse("admin:backoffice_document_changelist") + "?state__exact=pending",
    }


if __name__ == "__main__":
    main()
