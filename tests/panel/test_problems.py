"""Problems: causes with their answers, records with Retry and Ignore."""

import pytest
from django.urls import reverse

from backoffice.models import Document, Item
from backoffice.services import customers, items
from backoffice.types import NewCustomer, NewItem
from carts.choices import Reason, RecordState
from carts.models import Cart, Feed, Record
from carts.records import Listing
from carts.services import problems, selection, ticking
from sandbox.testing import PracticeShop
from tests.panel.conftest import sentences

PROBLEMS = "/carts/problems/"
ANSWER = "/carts/problems/answer/"
UNKNOWN = "NEW-LAMP-01"


@pytest.fixture
def place(cart: Cart, shop: PracticeShop):
    """Place an order in the shop and import it; gives its record."""
    for product in shop.shop.products.rows.values():
        if product.sku and product.sku != UNKNOWN:
            items.create_item(NewItem(sku=product.sku, name=product.name))

    def order(*skus: str, **details: str) -> Record:
        placed = shop.shop.place_order(*skus, **details)
        run = selection.begin(cart, "order", [str(placed.id)], "staff")
        ticking.work_on_run(run.pk)
        return Record.objects.get(external_id=str(placed.id))

    return order


def fields(group: problems.Group, action: str, **more: str) -> dict[str, str]:
    return {
        "cart": str(group.cart.pk), "reason_code": group.reason_code, "key": group.key, "action": action, **more,
    }  # fmt: skip


def states() -> list[str]:
    return list(Record.objects.filter(kind="order").order_by("id").values_list("state", flat=True))


def test_without_problems_it_says_so(signed_in, db):
    assert "Nothing waits for a person." in signed_in.get(PROBLEMS).content.decode()


def test_one_answer_releases_every_order_its_cause_held(signed_in, place):
    place(UNKNOWN), place(UNKNOWN, "SKU-0001")
    page = signed_in.get(PROBLEMS)
    (cause,) = page.context["causes"]
    assert cause.sentence == f"SKU {UNKNOWN} is not among the items: 2 orders"
    assert len(page.context["rows"]) == 2
    answer = signed_in.post(ANSWER, fields(cause.group, "map", ours="sku-0002"), follow=True)
    assert sentences(answer) == ["Remembered. 2 orders imported."]
    assert states() == [RecordState.IMPORTED] * 2
    assert Document.objects.count() == 2
    lines = Document.objects.order_by("id").first().lines.filter(kind="item")
    assert [line.item.sku for line in lines] == ["SKU-0002"]


def test_a_suggestion_names_the_item_whatever_else_is_alike(signed_in, place):
    place(UNKNOWN)
    (cause,) = signed_in.get(PROBLEMS).context["causes"]
    found = signed_in.get(reverse("carts:find", args=["item"]), {"ours": "SKU-0001"}).content.decode()
    item = Item.objects.get(sku="SKU-0001")
    assert found.strip() == f'<option value="SKU-0001 {item.name} [{item.pk}]"></option>'
    signed_in.post(ANSWER, fields(cause.group, "map", ours=f"SKU-0001 {item.name} [{item.pk}]"))
    assert states() == [RecordState.IMPORTED]


@pytest.mark.parametrize("typed", ["SKU-00", "NO-SUCH-SKU", "[999999]", ""])
def test_an_answer_that_names_no_single_item_changes_nothing(signed_in, place, typed):
    place(UNKNOWN)
    (cause,) = signed_in.get(PROBLEMS).context["causes"]
    (said,) = sentences(signed_in.post(ANSWER, fields(cause.group, "map", ours=typed), follow=True))
    assert said.startswith("Nothing was changed. ")
    assert states() == [RecordState.HELD]
    assert Document.objects.count() == 0


def test_create_the_item_names_it_as_the_shop_does(signed_in, place):
    place(UNKNOWN)
    (cause,) = signed_in.get(PROBLEMS).context["causes"]
    signed_in.post(ANSWER, fields(cause.group, "new_item"))
    assert Item.objects.filter(sku=UNKNOWN).count() == 1
    assert states() == [RecordState.IMPORTED]


def test_the_stand_in_item_is_asked_for_where_there_is_none(signed_in, place, cart):
    place(UNKNOWN)
    (cause,) = signed_in.get(PROBLEMS).context["causes"]
    (said,) = sentences(signed_in.post(ANSWER, fields(cause.group, "stand_in"), follow=True))
    assert said.startswith("This cart has no stand-in item.")
    Cart.objects.update(stand_in_item_id=Item.objects.get(sku="SKU-0001").pk)
    signed_in.post(ANSWER, fields(cause.group, "stand_in"))
    assert states() == [RecordState.IMPORTED]


def test_customers_with_one_e_mail_are_offered_to_choose_from(signed_in, place):
    twins = customers.create_customers(
        [NewCustomer(name=name, emails=("twin@example.test",), import_key=name) for name in ("First", "Second")]
    )
    place("SKU-0001", email="twin@example.test")
    (cause,) = signed_in.get(PROBLEMS).context["causes"]
    assert cause.sentence == "2 customers have the e-mail twin@example.test: 1 order"
    assert sorted(ref.id for ref in cause.customers) == sorted(twins)
    chosen = next(ref for ref in cause.customers if ref.id == twins[1])
    signed_in.post(ANSWER, fields(cause.group, "map", ours=f"{chosen.label} [{chosen.id}]"))
    assert Document.objects.get().customer_id == twins[1]


def test_another_currency_is_imported_when_a_person_says_so(signed_in, place, cart):
    place("SKU-0001", currency="EUR")
    (cause,) = signed_in.get(PROBLEMS).context["causes"]
    assert (cause.group.reason_code, cause.sentence) == (Reason.CURRENCY, "Orders in EUR are not imported: 1 order")
    signed_in.post(ANSWER, fields(cause.group, "currency"))
    cart.refresh_from_db()
    assert (cart.currencies, states()) == ("EUR,USD", [RecordState.IMPORTED])


def test_retry_imports_what_can_be_imported_now(signed_in, place):
    record = place(UNKNOWN)
    url = reverse("carts:problem", args=[record.pk])
    (said,) = sentences(signed_in.post(url, {"action": "retry"}, follow=True))
    assert said == f"{record} is still held: SKU {UNKNOWN} is not among the items."
    items.create_item(NewItem(sku=UNKNOWN, name="Lamp"))
    (said,) = sentences(signed_in.post(url, {"action": "retry"}, follow=True))
    assert (said, states()) == (f"{record} was imported.", [RecordState.IMPORTED])


def test_ignore_takes_it_off_the_list(signed_in, place):
    record = place(UNKNOWN)
    signed_in.post(reverse("carts:problem", args=[record.pk]), {"action": "ignore"})
    page = signed_in.get(PROBLEMS)
    assert (list(page.context["rows"]), page.context["causes"]) == ([], [])
    assert states() == [RecordState.IGNORED]


def test_the_list_of_one_cart_stays_of_that_cart(signed_in, place, cart, new_cart):
    record = place(UNKNOWN)
    other = new_cart(name="Other")
    assert len(signed_in.get(PROBLEMS, {"cart": cart.pk}).context["rows"]) == 1
    assert signed_in.get(PROBLEMS, {"cart": other.pk}).context["rows"] == []
    back = signed_in.post(reverse("carts:problem", args=[record.pk]) + f"?cart={cart.pk}", {"action": "ignore"})
    assert back.url == f"{PROBLEMS}?cart={cart.pk}"


def test_a_feed_that_needs_a_person_stands_above_all(signed_in, cart):
    Feed.objects.filter(cart=cart).update(needs_person=True, error="The shop refused the key.")
    page = signed_in.get(PROBLEMS)
    assert [feed.error for feed in page.context["in_need"]] == ["The shop refused the key."]
    assert "Nothing waits for a person." not in page.content.decode()


def test_selecting_everything_works_through_all_of_it(signed_in, cart, shop):
    run = selection.begin_matching(cart, "order", Listing(), "staff")
    ticking.work_on_run(run.pk)
    assert Record.objects.filter(kind="order").count() == 60
