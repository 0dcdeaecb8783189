"""Items and customers: all of them read, the right one found, its stock and its fields set, nothing else touched."""

import json
from collections import Counter
from decimal import Decimal

import pytest

from carts import fields
from carts.errors import CartError, NotFound, Rejected, Stale, Unavailable
from carts.records import CUSTOMER, ITEM, ItemRef, RecordChange, StockLevel
from tests.contract.harness import TIMEOUT_SECONDS, Ground, ground_of
from tests.engine.helpers import wait_until

# Reading ------------------------------------------------------------------------------------------------


@pytest.fixture
def many(platform):
    """More items and customers than any platform gives with one page."""
    with ground_of(platform, products=300, customers=280) as ground:
        yield ground


def test_reading_by_id_meets_everything_once_and_goes_on_after_a_restart(many):
    for kind, table in ((ITEM, many.shop.products), (CUSTOMER, many.shop.customers)):
        first = many.adapter.page_by_id(kind, "")
        assert not first.is_last and first.rows
        ids = [row.external_id for row in first.rows]
        position = first.next_position
        while position:
            # Another worker, days later: the position is all it has.
            page = many.connect().page_by_id(kind, position)
            ids += [row.external_id for row in page.rows]
            position = page.next_position
        assert len(ids) == len(set(ids))
        if kind == CUSTOMER:
            buyers = [row for row in table.rows.values() if row.role == "customer"]
            assert set(many.ids_of(buyers, CUSTOMER)) <= set(ids)


def test_every_item_of_the_shop_says_what_the_shop_says(ground):
    read = [ground.adapter.parse_item(row.body) for row in ground.all_by_id(ITEM)]
    sold = {item.sku: item for item in read if not item.has_variations}
    theirs = {row.sku: row for row in ground.shop.products.rows.values() if row.kind != "variable"}
    assert len([item for item in read if not item.has_variations]) == len(theirs) == 30
    for sku, row in theirs.items():
        if not sku:
            continue  # one without a SKU; some platforms make one up
        item = sold[sku]
        assert (item.price, item.is_stock_managed, item.is_active) == (Decimal(row.regular_price), True, True), sku
        # A platform that keeps quantities apart from items may not say it here; read_stock does.
        assert item.stock in (None, Decimal(row.stock)), sku


def test_every_customer_says_what_the_shop_says(ground):
    theirs = {row.email: row for row in ground.shop.customers.rows.values() if row.role == "customer"}
    read = [ground.adapter.parse_customer(row.body) for row in ground.all_by_id(CUSTOMER)]
    found = {each.email: each for each in read if each.email in theirs}
    assert found.keys() == theirs.keys()
    for email, row in theirs.items():
        customer = found[email]
        assert (customer.first_name, customer.last_name) == (row.first_name, row.last_name)
        assert (customer.billing.address_1, customer.billing.city, customer.billing.country) == (
            row.billing.address_1, row.billing.city, row.billing.country,
        )  # fmt: skip
        assert customer.external_id == ground.id_of(row, CUSTOMER)


def test_digests_of_items_and_customers_move_with_a_change_only(ground):
    for kind in (ITEM, CUSTOMER):
        before, again = ({row.external_id: row.digest for row in ground.all_by_id(kind)} for _ in range(2))
        assert before == again
        if kind == ITEM:
            sku = ground.wares(variations=False)[0].sku
            changed = ground.ref(sku).external_id
            product = ground.shop.product_by_sku(sku)
            product.name = "Another name"
            ground.shop.touch_product(product)
        else:
            customer = ground.shop.customer_by_email("customer1@example.test")
            changed = ground.id_of(customer, CUSTOMER)
            ground.shop.edit_customer(customer.id, first_name="Adele")
        after = {row.external_id: row.digest for row in ground.all_by_id(kind)}
        assert {each for each in before if before[each] != after[each]} == {changed}


def test_one_record_has_one_digest_however_it_is_read(ground):
    for kind in (ITEM, CUSTOMER):
        rows = ground.all_by_id(kind)
        refs = {}
        for row in rows:
            parent = ground.adapter.parse_item(row.body).parent_id if kind == ITEM else ""
            refs[ItemRef(row.external_id, parent)] = row.digest
        read = ground.adapter.read_records(kind, [*refs, ItemRef("987654321")])
        assert {ref: row.digest for ref, row in read.items()} == refs


def test_items_are_found_by_sku_and_customers_by_e_mail_without_regard_to_case(ground):
    for row in (ground.wares(variations=False)[0], ground.wares(variations=True)[0]):
        for text in (row.sku, row.sku.lower(), row.sku.upper()):
            (found,) = ground.adapter.find(ITEM, text)
            assert ground.adapter.parse_item(found.body).sku == row.sku
    for text in ("customer2@example.test", "CUSTOMER2@Example.test"):
        (found,) = ground.adapter.find(CUSTOMER, text)
        assert ground.adapter.parse_customer(found.body).email == "customer2@example.test"


def test_what_merely_resembles_is_not_found(ground):
    ground.shop.add_product("A,B", "Comma", "1.00", stock=1)
    for text in ("SKU-000", "SKU-0001 OR 1", "SKU-%", "A", "*", "no such"):
        assert ground.adapter.find(ITEM, text) == [], text
    for text in ("customer@example.test", "customer2", "%@example.test"):
        assert ground.adapter.find(CUSTOMER, text) == [], text


def test_a_sku_with_odd_signs_is_found(ground):
    for sku in ("A/B 1", "Ünï-1", 'Q"1', "A&B=C"):
        ground.shop.add_product(sku, "Odd", "1.00", stock=1)
        (found,) = ground.adapter.find(ITEM, sku)
        assert ground.adapter.parse_item(found.body).sku == sku


# Stock --------------------------------------------------------------------------------------------------


def levels_of(ground: Ground, quantities: dict[str, int], *, known: dict[str, int] | None = None) -> list[StockLevel]:
    shown = {sku: ground.shop.product_by_sku(sku).stock for sku in quantities} if known is None else known
    levels = []
    for sku, quantity in quantities.items():
        ref = ground.ref(sku)
        before = shown.get(sku)
        levels.append(
            StockLevel(ref.external_id, ref.parent_id, Decimal(quantity), None if before is None else Decimal(before))
        )
    return levels


def push(ground: Ground, levels: list[StockLevel]) -> dict[str, CartError | None]:
    """All levels in the batches the adapter makes; errors by external id."""
    by_ref = {ItemRef(level.external_id, level.parent_id): level for level in levels}
    results = {}
    for batch in ground.adapter.stock_batches(list(by_ref)):
        answered = ground.adapter.push_stock([by_ref[ref] for ref in batch])
        assert [each.external_id for each in answered] == [ref.external_id for ref in batch]
        results |= {each.external_id: each.error for each in answered}
    return results


def shows(ground: Ground, *skus: str) -> list[int | None]:
    return [ground.shop.product_by_sku(sku).stock for sku in skus]


def settles(ground: Ground, *skus: str, to: list[int]) -> None:
    """The shop shows these quantities: at once, or where it answers before it is done, soon."""
    if ground.capabilities.stock_settles_seconds:
        wait_until(lambda: shows(ground, *skus) == to, seconds=ground.capabilities.stock_settles_seconds + 5)
    assert shows(ground, *skus) == to


def some(ground: Ground) -> list[str]:
    """Two simple items and two variations of one product."""
    simple, variations = ground.wares(variations=False), ground.wares(variations=True)
    return [row.sku for row in (*simple[:2], *variations[:2])]


def test_stock_is_read_as_the_shop_shows_it(ground):
    unkept = ground.shop.add_product("UNKEPT", "No stock kept", "1.00")
    assert unkept.stock is None
    skus = some(ground)
    refs = {ground.ref(sku): Decimal(quantity) for sku, quantity in zip(skus, shows(ground, *skus), strict=True)}
    assert ground.adapter.read_stock(list(refs)) == refs
    assert ground.adapter.read_stock([ground.ref("UNKEPT")]) == {ground.ref("UNKEPT"): None}
    assert ground.adapter.read_stock([ItemRef("987654321")]) == {}


def test_quantities_are_set_absolutely_and_nothing_else_is_touched(ground):
    skus = some(ground)
    others = {row.sku: row.stock for row in ground.wares() if row.sku not in skus}
    wanted = dict(zip(skus, (0, 7, 1234, 3), strict=True))
    levels = levels_of(ground, wanted)
    ground.place.requests.clear()
    assert set(push(ground, levels).values()) == {None}
    settles(ground, *skus, to=[0, 7, 1234, 3])
    assert {row.sku: row.stock for row in ground.wares() if row.sku not in skus} == others
    refs = [ItemRef(level.external_id, level.parent_id) for level in levels]
    read = ground.adapter.read_stock(refs)
    assert [read[ref] for ref in refs] == [Decimal(each) for each in (0, 7, 1234, 3)]


def test_each_batch_is_one_write_and_holds_every_ref_once(ground):
    refs = [ground.ref(row.sku) for row in ground.wares()]
    batches = ground.adapter.stock_batches(refs)
    assert Counter(ref for batch in batches for ref in batch) == Counter(refs)
    levels = levels_of(ground, {row.sku: 5 for row in ground.wares()})
    ground.place.requests.clear()
    push(ground, levels)
    assert len(ground.writes()) == len(batches)


def test_one_row_that_is_gone_is_told_and_the_others_are_set(ground):
    skus = some(ground)[:2]
    levels = levels_of(ground, {skus[0]: 3, skus[1]: 4})
    ground.shop.delete_product(ground.shop.product_by_sku(skus[0]).id)
    errors = push(ground, levels)
    assert isinstance(errors[levels[0].external_id], NotFound)
    assert errors[levels[1].external_id] is None
    settles(ground, skus[1], to=[4])


def test_where_no_stock_is_kept_none_is_begun(ground):
    skus = some(ground)[:2]
    unkept = ground.shop.product_by_sku(skus[0])
    levels = levels_of(ground, {skus[0]: 3, skus[1]: 4})
    unkept.manages_stock, unkept.stock = False, None
    ground.shop.touch_product(unkept)
    errors = push(ground, levels)
    assert isinstance(errors[levels[0].external_id], Rejected)
    assert errors[levels[0].external_id].sentence.endswith(".")
    assert errors[levels[1].external_id] is None
    settles(ground, skus[1], to=[4])
    assert not ground.shop.product_by_sku(skus[0]).manages_stock


def test_a_quantity_that_rests_on_a_wrong_one_is_stale_where_the_platform_compares(ground):
    """Then the shop is left as it is; every other platform sets it whole."""
    sku = some(ground)[0]
    ground.shop.set_stock(sku, 50)
    (level,) = levels_of(ground, {sku: 9}, known={sku: 40})
    (error,) = push(ground, [level]).values()
    assert isinstance(error, Stale) is ground.harness.compares_stock
    settles(ground, sku, to=[50 if ground.harness.compares_stock else 9])


@pytest.mark.parametrize("fault", ["500", "timeout", "reset", "truncated", "html200"])
def test_stock_is_never_sent_twice_whatever_becomes_of_the_answer(ground, fault):
    sku = some(ground)[0]
    levels = levels_of(ground, {sku: 9})
    ground.place.requests.clear()
    ground.place.faults.add(fault, seconds=TIMEOUT_SECONDS + 1, processed=True, **ground.harness.write_fault)
    with pytest.raises(Unavailable) as raised:
        push(ground, levels)
    ground.tells_no_secret(raised.value)
    wait_until(ground.writes)
    assert len(ground.writes()) == 1


# Fields -------------------------------------------------------------------------------------------------

ADDRESS = json.dumps(
    {"address_1": "1 Road", "city": "Albany", "country": "US", "first_name": "Ada", "last_name": "Byron",
     "postcode": "12207", "state": "NY"},
    sort_keys=True,
)  # fmt: skip
VALUES = {
    ITEM: {
        "name": "Another name", "price": "12.5", "sale_price": "9.25", "description": "Of oak", "is_active": "0",
        "barcode": "4006381333931", "weight": "1.5",
    },
    CUSTOMER: {
        "name": "Ada Byron", "company": "Engines", "email": "ada@example.test", "phone": "+1 555 0100",
        "billing": ADDRESS, "shipping": ADDRESS,
    },
}  # fmt: skip
# Their values are the shop's own words, which no test knows.
OF_THE_SHOP = {"tax_class", "is_stock_keeping"}


def needs(ground: Ground, kind: str, name: str) -> None:
    can = ground.capabilities.customer_fields if kind == CUSTOMER else ground.capabilities.item_fields
    if name not in can:
        pytest.skip(f"{ground.adapter.label} cannot set {kind}.{name}, as its Capabilities say.")


def shown_fields(ground: Ground, kind: str, ref: ItemRef) -> dict[str, str]:
    (row,) = ground.adapter.read_records(kind, [ref]).values()
    return fields.of_cart(ground.adapter, kind, row.body)


def targets(ground: Ground) -> list[tuple[str, ItemRef, frozenset[str]]]:
    can = ground.capabilities
    customer = ground.shop.customer_by_email("customer1@example.test")
    return [
        (ITEM, ground.ref(ground.wares(variations=False)[0].sku), can.item_fields),
        (ITEM, ground.ref(ground.wares(variations=True)[0].sku), can.variation_fields),
        (CUSTOMER, ItemRef(ground.id_of(customer, CUSTOMER)), can.customer_fields),
    ]


def test_each_field_that_can_be_set_is_set_and_no_other_with_it(ground):
    for kind, ref, can in targets(ground):
        assert can <= set(VALUES[kind]) | OF_THE_SHOP
        for name in sorted(can - OF_THE_SHOP):
            before = shown_fields(ground, kind, ref)
            value = VALUES[kind][name]
            (result,) = ground.adapter.push_records(kind, [RecordChange(ref, {name: value})])
            assert result.error is None, (name, result.error)
            after = shown_fields(ground, kind, ref)
            changed = {each for each in after if after[each] != before[each]}
            assert name in changed and is_as_given(name, value, after[name]), (kind, ref, name, after[name])
            # A name and an address may share the buyer's name, a sale price the price shown: nothing else moves.
            assert changed <= {name} | TOGETHER.get(name, set()), (kind, ref, name)


def is_as_given(name: str, given: str, shown: str) -> bool:
    """A shop may write a description in its own way, and keeps of an address what it was not told."""
    if name in fields.ADDRESSES:
        return json.loads(given).items() <= json.loads(shown or "{}").items()
    return shown == given or (name == "description" and given in shown)


# Of one thing the shop keeps once.
TOGETHER = {
    "name": {"billing", "shipping"},
    "billing": {"shipping", "phone", "company"},
    "shipping": {"billing"},
    "phone": {"shipping"},
    "company": {"shipping"},
}


def test_several_records_at_once_each_by_itself(ground):
    needs(ground, ITEM, "price")
    first, second = (ground.ref(row.sku) for row in ground.wares(variations=False)[:2])
    gone_sku = ground.wares(variations=False)[2].sku
    gone = ground.ref(gone_sku)
    ground.shop.delete_product(ground.shop.product_by_sku(gone_sku).id)
    changes = [
        RecordChange(first, {"price": "11"}),
        RecordChange(gone, {"price": "12"}),
        RecordChange(second, {"price": "13"}),
    ]
    results = ground.adapter.push_records(ITEM, changes)
    assert [each.external_id for each in results] == [change.ref.external_id for change in changes]
    assert [type(each.error) for each in results] == [type(None), NotFound, type(None)]
    assert [shown_fields(ground, ITEM, ref)["price"] for ref in (first, second)] == ["11", "13"]


@pytest.mark.parametrize("text", ["12,50", "-1", "1e3", "ten", "NaN", "1 000"])
def test_what_is_no_number_is_refused_before_it_is_sent(ground, text):
    needs(ground, ITEM, "price")
    ref = ground.ref(ground.wares(variations=False)[0].sku)
    ground.place.requests.clear()
    (result,) = ground.adapter.push_records(ITEM, [RecordChange(ref, {"price": text})])
    assert isinstance(result.error, Rejected) and text in result.error.sentence
    assert ground.writes() == []


def test_what_is_no_e_mail_is_refused(ground):
    needs(ground, CUSTOMER, "email")
    customer = ground.shop.customer_by_email("customer1@example.test")
    ref = ItemRef(ground.id_of(customer, CUSTOMER))
    ground.place.requests.clear()
    (result,) = ground.adapter.push_records(CUSTOMER, [RecordChange(ref, {"email": "no address"})])
    assert isinstance(result.error, Rejected)
    assert ground.writes() == [] and ground.shop.customer_by_email("customer1@example.test")


@pytest.mark.parametrize("fault", ["timeout", "reset", "truncated"])
def test_a_change_is_never_sent_twice(ground, fault):
    needs(ground, ITEM, "price")
    ref = ground.ref(ground.wares(variations=False)[0].sku)
    ground.place.requests.clear()
    ground.place.faults.add(fault, seconds=TIMEOUT_SECONDS + 1, processed=True, **ground.harness.record_fault)
    with pytest.raises(Unavailable):
        ground.adapter.push_records(ITEM, [RecordChange(ref, {"price": "12.5"})])
    wait_until(ground.writes)
    assert len(ground.writes()) == 1


def test_a_created_item_is_found_again_as_it_was_made(ground):
    needs(ground, ITEM, "price")
    values = {name: VALUES[ITEM][name] for name in ("name", "price") if name in ground.capabilities.item_fields}
    made = ground.adapter.create_record(ITEM, "NEW-1", values)
    (found,) = ground.adapter.find(ITEM, "new-1")
    assert found.external_id == made.external_id
    item = ground.adapter.parse_item(found.body)
    assert (item.sku, item.name, item.price) == ("NEW-1", "Another name", Decimal("12.5"))


def test_a_created_customer_is_found_again_as_it_was_made(ground):
    needs(ground, CUSTOMER, "name")
    can = ground.capabilities.customer_fields
    values = {name: value for name, value in VALUES[CUSTOMER].items() if name in can and name != "email"}
    made = ground.adapter.create_record(CUSTOMER, "new@example.test", values)
    (found,) = ground.adapter.find(CUSTOMER, "NEW@example.test")
    assert found.external_id == made.external_id
    shown = fields.of_cart(ground.adapter, CUSTOMER, found.body)
    assert all(is_as_given(name, value, shown[name]) for name, value in values.items()), shown


def test_a_record_that_cannot_be_is_not_created(ground):
    ground.place.requests.clear()
    with pytest.raises(Rejected):
        ground.adapter.create_record(ITEM, "NEW-2", {"name": "X", "price": "12,50"})
    assert ground.writes() == []
    assert ground.shop.product_by_sku("NEW-2") is None
