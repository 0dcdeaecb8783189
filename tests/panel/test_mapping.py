"""Mapping: what is linked, likely or doubled, and what staff do about it, by hand and by table."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from backoffice.models import Customer, Document, Item
from carts.choices import Kind, RecordState, RunState
from carts.models import Cart, Push, Record, Run
from carts.services import mapping, mapping_csv, reading_all, ticking
from sandbox.testing import PracticeShop
from tests.engine.helpers import connected_cart, fresh, know_the_items, poll, running_cart
from tests.push.conftest import no_waiting, place, writes  # noqa: F401

UNLINKED, SKU = "unlinked", "SKU-0002"


@pytest.fixture
def staff(admin_client: Client) -> Client:
    return admin_client


@pytest.fixture
def cart(transactional_db: None, place: PracticeShop) -> Cart:  # noqa: F811
    """STOPPED; all that the shop has is read, ours have the same SKUs but for one."""
    know_the_items(place, but=["SKU-0003"])
    cart = connected_cart(place)
    for kind in (Kind.ITEM, Kind.CUSTOMER):
        ticking.work_on_run(reading_all.begin(cart, kind, "staff").pk)
    place.requests.clear()
    return cart


def row_of(cart: Cart, sku: str) -> Record:
    return Record.objects.select_related("cart").get(cart=cart, kind=Kind.ITEM, label=sku)


def ours(sku: str) -> Item:
    return Item.objects.get(sku=sku)


def page(cart: Cart, kind: str = "items") -> str:
    return reverse(f"carts:mapping_{kind}", args=[cart.pk])


def act(staff: Client, cart: Cart, action: str, *records: Record, **typed: Any) -> str:
    data = {"action": action, "ids": [record.pk for record in records], **typed}
    return staff.post(page(cart), data, follow=True).text


def test_reading_all_remembers_every_record_and_links_none(cart, place):  # noqa: F811
    rows = place.shop.products.rows.values()
    records = mapping.records_of(cart, Kind.ITEM)
    assert records.count() == sum(row.kind != "variable" for row in rows)
    assert not records.exclude(state=RecordState.SEEN).exists()
    assert mapping.records_of(cart, Kind.CUSTOMER).count() == len(place.shop.customers.rows)
    assert Run.objects.filter(kind="read", state=RunState.DONE).count() == 2
    assert writes(place) == [] and not Document.objects.exists()


def test_reading_all_again_touches_no_link(cart):
    record = row_of(cart, SKU)
    mapping.link(record, ours(SKU).pk)
    before = fresh(record).digest
    ticking.work_on_run(reading_all.begin(cart, Kind.ITEM, "staff").pk)
    again = fresh(record)
    assert (again.local_id, again.digest) == (ours(SKU).pk, before)


def test_a_reading_that_was_cut_off_goes_on(cart, place):  # noqa: F811
    Record.objects.all().delete()
    place.faults.add("reset", match="/products", times=1)
    run = reading_all.begin(cart, Kind.ITEM, "staff")
    ticking.work_on_run(run.pk)
    assert fresh(run).state == RunState.RUNNING
    Run.objects.filter(pk=run.pk).update(lease_until=None)
    ticking.work_on_run(run.pk)
    assert fresh(run).state == RunState.DONE and row_of(cart, SKU)


def test_suggested_by_sku_barcode_and_near_name(cart, staff):
    by_barcode, by_name = row_of(cart, "SKU-0004"), row_of(cart, "SKU-0005")
    for record in (by_barcode, by_name):
        ours(record.label).delete()
    Record.objects.filter(pk=by_barcode.pk).update(
        payload=by_barcode.payload.replace('"global_unique_id":""', '"global_unique_id":"4006381333931"')
    )
    Item.objects.create(sku="OTHER-1", name="Quite another", barcode="4006381333931")
    Item.objects.create(sku="OTHER-2", name=f"{by_name.name}s")
    rows = {row.record.label: row for row in mapping.page_of(cart, Kind.ITEM).rows}
    assert (rows[SKU].why, rows[SKU].ours.label.split()[0]) == ("Same SKU", SKU)
    assert (rows["SKU-0004"].why, rows["SKU-0004"].ours.label.split()[0]) == ("Same barcode", "OTHER-1")
    assert (rows["SKU-0005"].why, rows["SKU-0005"].ours.label.split()[0]) == ("Near name", "OTHER-2")
    assert rows["SKU-0003"].ours is None or rows["SKU-0003"].why == "Near name"
    shown = staff.get(page(cart), {"state": "suggested"}).text
    assert SKU in shown and ">SKU-0003<" not in shown


def test_linking_takes_what_stands_beside_the_row_or_what_was_typed(cart, staff):
    one, other = row_of(cart, SKU), row_of(cart, "SKU-0003")
    target = Item.objects.create(sku="TYPED-1", name="Typed")
    typed = {f"ours-{one.pk}": f"{SKU} x [{ours(SKU).pk}]", f"ours-{other.pk}": "TYPED-1"}
    assert "2 linked." in act(staff, cart, "link", one, other, **typed)
    assert (fresh(one).local_id, fresh(other).local_id) == (ours(SKU).pk, target.pk)


def test_what_is_ambiguous_is_refused_and_blocks_no_other(cart, staff):
    one, other, third = row_of(cart, SKU), row_of(cart, "SKU-0003"), row_of(cart, "SKU-0004")
    item = ours(SKU)
    typed = {f"ours-{each.pk}": f"x [{item.pk}]" for each in (one, other)}
    shown = act(staff, cart, "link", one, other, third, **typed)
    assert "1 linked." in shown and "Unlink it first" in shown and "nothing of ours stands beside it" in shown
    assert Record.objects.filter(local_id=item.pk).count() == 1


def test_a_link_releases_the_orders_it_held(cart, place):  # noqa: F811
    from carts.services import control

    control.start(fresh(cart), "staff", without_rehearsal=True)
    place.shop.place_order("SKU-0003", status="processing")
    poll(cart)
    assert not Document.objects.exists()
    mapping.link(row_of(cart, "SKU-0003"), Item.objects.create(sku="NAMED-OTHERWISE", name="x").pk)
    assert Document.objects.count() == 1


def test_unlink_create_and_ignore(cart, staff):
    record = row_of(cart, "SKU-0003")
    assert "1 created." in act(staff, cart, "create", record)
    assert fresh(record).local_id == ours("SKU-0003").pk
    assert "is linked already" in act(staff, cart, "create", record)
    assert "Unlink it first" in act(staff, cart, "ignore", record)
    assert "1 unlinked." in act(staff, cart, "unlink", record)
    assert (fresh(record).local_id, fresh(record).state) == (None, RecordState.SEEN)
    assert "1 ignored." in act(staff, cart, "ignore", record)
    assert "SKU-0003" in staff.get(page(cart), {"state": "ignored"}).text


def test_doubled_skus_are_shown(cart, place, staff):  # noqa: F811
    twin = Record.objects.get(pk=row_of(cart, "SKU-0004").pk)
    Record.objects.filter(pk=twin.pk).update(label=SKU.lower())
    rows = mapping.page_of(cart, Kind.ITEM, "doubled").rows
    assert {row.record.label for row in rows} == {SKU, SKU.lower()}
    assert all("Doubled" in row.why for row in rows)


def test_customers_are_mapped_by_e_mail(cart, staff):
    record = mapping.records_of(cart, Kind.CUSTOMER).exclude(name="").order_by("pk")[0]
    mine = Customer.objects.create(code="C-9", name="Somebody")
    mine.emails.create(email=record.label)
    shown = staff.get(page(cart, "customers"), {"state": "suggested"}).text
    assert "Same e-mail" in shown and "C-9" in shown
    mapping.link(record, mine.pk)
    assert fresh(record).local_id == mine.pk


def test_a_new_link_sends_stock_where_the_cart_takes_it(place, transactional_db):  # noqa: F811
    know_the_items(place)
    cart = running_cart(place, to_stock_updates=True)
    ticking.work_on_run(reading_all.begin(cart, Kind.ITEM, "staff").pk)
    mapping.link(row_of(cart, SKU), ours(SKU).pk)
    assert Push.objects.filter(cart=cart, local_id=ours(SKU).pk).exists() or writes(place)


# By table -----------------------------------------------------------------------------------------------


def table(staff: Client, cart: Cart) -> list[dict[str, str]]:
    answer = staff.get(reverse("carts:mapping_table", args=[cart.pk]), {"kind": "item"})
    assert "attachment" in answer["Content-Disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def text_of(rows: list[dict[str, str]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def upload(staff: Client, cart: Cart, content: bytes | str) -> Any:
    content = content.encode() if isinstance(content, str) else content
    data = {"kind": "item", "file": SimpleUploadedFile("mapping.csv", content)}
    return staff.post(reverse("carts:mapping_table", args=[cart.pk]), data, follow=True)


def test_a_table_goes_out_is_looked_at_and_comes_in(cart, staff):
    mapping.link(row_of(cart, "SKU-0001"), ours("SKU-0001").pk)
    rows = table(staff, cart)
    assert {row["sku"]: row["our_sku"] for row in rows}["SKU-0001"] == "SKU-0001"
    for row in rows:
        row["our_sku"] = {SKU: SKU.lower(), "SKU-0001": "", "SKU-0003": "NOT-OURS"}.get(row["sku"], row["our_sku"])
    before = list(Record.objects.order_by("pk").values())
    shown = upload(staff, cart, text_of(rows))
    assert "Link: 1, Unlink: 1" in shown.text, str(shown.context["counts"])
    assert "NOT-OURS is none of ours" in shown.text
    assert list(Record.objects.order_by("pk").values()) == before, "a look writes nothing"
    form = {"kind": "item", "text": text_of(rows), "apply": "1"}
    for counts in ("Link: 1, Unlink: 1", "Refused: 1"):
        applied = staff.post(reverse("carts:mapping_table", args=[cart.pk]), form, follow=True)
        assert "Applied." in applied.text and counts in applied.text
        assert fresh(row_of(cart, SKU)).local_id == ours(SKU).pk
        assert fresh(row_of(cart, "SKU-0001")).local_id is None
    assert mapping_csv.counted(mapping_csv.preview(cart, Kind.ITEM, text_of(table(staff, cart)))).keys() == {
        "Unchanged"
    }


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("\x00\x01", "no column"),
        ("a,b\n1,2\n", "no column external_id and our_sku"),
        ("external_id,our_sku\n999999,SKU-0002\n", "The cart has no such record here"),
        (b"\xff\xfe\x00", "not written in UTF-8"),
        ("external_id,our_sku\n", "Nothing: every row is as it is here"),
    ],
)
def test_bad_tables_get_a_sentence(cart, staff, content, says):
    assert says in upload(staff, cart, content).text


def test_a_row_that_stands_twice_or_takes_what_another_has_is_refused(cart):
    one, other = row_of(cart, SKU), row_of(cart, "SKU-0003")
    text = f"external_id,our_sku\n{one.external_id},{SKU}\n{one.external_id},\n{other.external_id},{SKU}\n"
    changes = mapping_csv.apply(cart, Kind.ITEM, text)
    assert [change.action for change in changes] == ["Link", "Refused", "Refused"]
    assert fresh(one).local_id == ours(SKU).pk and fresh(other).local_id is None


def test_what_a_spreadsheet_would_reckon_is_kept_as_text(cart, staff):
    item = Item.objects.create(sku="=1+1", name="Formula")
    record = row_of(cart, SKU)
    mapping.link(record, item.pk)
    row = next(row for row in table(staff, cart) if row["sku"] == SKU)
    assert row["our_sku"] == "'=1+1"
    mapping.unlink(fresh(record))
    mapping_csv.apply(cart, Kind.ITEM, text_of([row]))
    assert fresh(record).local_id == item.pk
