"""The mapping as a table: out, edited by hand, and in again. What would change is shown before it is applied; a row
that cannot be is told and blocks no other."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tablib
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from import_export import fields, resources
from import_export.results import Result, RowResult

from carts import gateway
from carts.choices import Kind, RecordState
from carts.errors import Refused
from carts.models import Cart, Record
from carts.services import mapping

OURS = {Kind.ITEM: "our_sku", Kind.CUSTOMER: "our_code"}
# A spreadsheet would reckon with a text that begins so.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST_ROWS = 10_000
LINK, UNLINK, KEEP, REFUSE = "Link", "Unlink", "Unchanged", "Refused"


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one row: LINK, UNLINK, KEEP or REFUSE with the reason."""

    line: int
    external_id: str
    label: str
    action: str
    ours: str = ""
    why: str = ""


class LinkResource(resources.ModelResource):
    """Records of one cart and kind; only the column of ours is taken in."""

    ours = fields.Field(column_name="ours")

    class Meta:
        model = Record
        fields = ("external_id", "parent_id", "label", "name", "state", "ours")
        export_order = ("external_id", "parent_id", "label", "name", "state", "ours")
        import_id_fields = ("external_id",)
        skip_unchanged = True
        report_skipped = True

    def __init__(self, cart: Cart, kind: Kind) -> None:
        super().__init__()
        self._cart, self._kind = cart, kind
        self.fields["ours"].column_name = OURS[kind]
        self.fields["label"].column_name = "sku" if kind == Kind.ITEM else "email"
        self._keys: dict[int, str] = {}

    def get_queryset(self) -> QuerySet[Record]:
        return mapping.records_of(self._cart, self._kind).select_related("cart")

    def before_export(self, queryset: QuerySet[Record], **_: Any) -> None:
        linked = queryset.filter(local_id__isnull=False).values_list("local_id", flat=True)
        self._keys = gateway.own_keys(self._kind, [each for each in linked if each is not None])

    def dehydrate_ours(self, record: Record) -> str:
        return safe(self._keys.get(record.local_id or 0, ""))

    def dehydrate_label(self, record: Record) -> str:
        return safe(record.label)

    def dehydrate_name(self, record: Record) -> str:
        return safe(record.name)

    def dehydrate_state(self, record: Record) -> str:
        return RecordState(record.state).label

    def before_import(self, dataset: tablib.Dataset, **_: Any) -> None:
        keys = {plain(row) for row in dataset[OURS[self._kind]]}
        self._ids = gateway.ids_of_own_keys(self._kind, keys - {""})
        self._seen: set[str] = set()
        self._taken: set[int] = set()

    def before_import_row(self, row: dict[str, Any], **_: Any) -> None:
        external_id, key = plain(row.get("external_id")), plain(row.get(OURS[self._kind]))
        row["external_id"] = external_id
        if external_id in self._seen:
            raise ValidationError("This record stands in the table twice; only the first counts.")
        self._seen.add(external_id)
        if not self.get_queryset().filter(external_id=external_id).exists():
            raise ValidationError("The cart has no such record here. Click Read all from the cart, then import again.")
        if key and key.casefold() not in self._ids:
            raise ValidationError(f"{key} is none of ours. Check the {OURS[self._kind].replace('_', ' ')}.")
        if key and self._ids[key.casefold()] in self._taken:
            raise ValidationError(f"{key} stands beside another record of the table already.")
        if key:
            self._taken.add(self._ids[key.casefold()])

    def import_instance(self, instance: Record, row: dict[str, Any], **_: Any) -> None:
        key = plain(row.get(OURS[self._kind]))
        # Not the record's own field yet: linking does more than writing it.
        instance.wanted = self._ids[key.casefold()] if key else None  # type: ignore[attr-defined]

    def skip_row(self, instance: Record, original: Record, row: dict[str, Any], errors: Any = None) -> bool:
        return instance.wanted == original.local_id  # type: ignore[attr-defined]

    def do_instance_save(self, instance: Record, is_create: bool) -> None:
        try:
            if instance.wanted is None:  # type: ignore[attr-defined]
                mapping.unlink(instance)
            else:
                mapping.link(instance, instance.wanted)  # type: ignore[attr-defined]
        except Refused as error:
            raise ValidationError(error.sentence) from None


def export(cart: Cart, kind: Kind) -> str:
    resource = LinkResource(cart, kind)
    return resource.export(queryset=resource.get_queryset().order_by("pk")).export("csv")


def preview(cart: Cart, kind: Kind, text: str) -> list[Change]:
    """What `apply` would do; nothing is written. Refused where the table cannot be read."""
    return _run(cart, kind, text, dry_run=True)


def apply(cart: Cart, kind: Kind, text: str) -> list[Change]:
    """Every row that can be is applied; the second time changes nothing. Refused where the table cannot be read."""
    return _run(cart, kind, text, dry_run=False)


def _run(cart: Cart, kind: Kind, text: str, *, dry_run: bool) -> list[Change]:
    dataset = _read(kind, text)
    resource = LinkResource(cart, kind)
    result: Result = resource.import_data(dataset, dry_run=dry_run, raise_errors=False, use_transactions=dry_run)
    rows = dataset.dict
    # A row that is not valid stands in both lists.
    valid = [(number, row) for number, row in enumerate(result.rows, 1) if not row.is_invalid()]
    told = [_change(kind, number, rows[number - 1], row) for number, row in valid]
    told += [
        Change(bad.number, plain(rows[bad.number - 1].get("external_id")), "", REFUSE, why=" ".join(bad.error.messages))
        for bad in result.invalid_rows
    ]
    return sorted(told, key=lambda change: change.line)


def _change(kind: Kind, number: int, row: dict[str, Any], result: RowResult) -> Change:
    key = plain(row.get(OURS[kind]))
    label = plain(row.get("sku" if kind == Kind.ITEM else "email")) or plain(row.get("name"))
    if result.errors:
        return Change(number, plain(row.get("external_id")), label, REFUSE, key, str(result.errors[0].error))
    if result.import_type == RowResult.IMPORT_TYPE_SKIP:
        return Change(number, plain(row.get("external_id")), label, KEEP, key)
    return Change(number, plain(row.get("external_id")), label, LINK if key else UNLINK, key)


def _read(kind: Kind, text: str) -> tablib.Dataset:
    try:
        dataset = tablib.Dataset().load(text.lstrip("\ufeff"), format="csv")
    except Exception:  # tablib and csv have many
        raise Refused("This is no table in CSV. Export one, change the last column, and import that.") from None
    missing = [name for name in ("external_id", OURS[kind]) if name not in (dataset.headers or [])]
    if missing:
        raise Refused(f"The table has no column {' and '.join(missing)}. Export one to see the columns.")
    if len(dataset) > MOST_ROWS:
        raise Refused(f"The table has {len(dataset)} rows; at most {MOST_ROWS} are taken at once. Split it.")
    return dataset


def plain(value: object) -> str:
    """A cell as it was before `safe`."""
    text = str(value if value is not None else "").strip()
    return text[1:] if text.startswith("'") and text[1:2] in FORMULA else text


def safe(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA) else text


def counted(changes: Sequence[Change]) -> dict[str, int]:
    return {
        action: sum(change.action == action for change in changes)
        for action in (LINK, UNLINK, KEEP, REFUSE)
        if any(change.action == action for change in changes)
    }
