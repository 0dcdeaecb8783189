"""Mapping: which record of the cart is which of ours, one screen for items and one for customers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from carts.choices import Kind
from carts.errors import CartError, Refused
from carts.forms import ListFilter, OursField
from carts.models import Cart, Record
from carts.services import mapping, mapping_csv, reading_all
from carts.views.cart_page import cart_tab
from carts.views.frame import page_number, panel, request_key, told

SEARCH_LABEL = {Kind.ITEM: "SKU or name", Kind.CUSTOMER: "E-mail or name"}
NAME = {Kind.ITEM: "mapping_items", Kind.CUSTOMER: "mapping_customers"}
MOST_BYTES = 2_000_000
REFUSED_SHOWN = 5
DONE = {"link": "linked", "unlink": "unlinked", "create": "created", "ignore": "ignored"}


@panel
def show(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """GET: the list. POST: link, unlink, create or ignore the ticked rows."""
    cart, of = get_object_or_404(Cart, pk=pk), Kind(kind)
    if request.method == "POST":
        return _act(request, cart, of)
    chosen = ListFilter(request.GET, mapping.STATES, SEARCH_LABEL[of])
    search, state = chosen.chosen
    try:
        page, error = mapping.page_of(cart, of, state, search, page_number(request)), ""
    except CartError as failed:
        page, error = mapping.MappingPage((), 1, is_last=True), failed.sentence
    field = OursField(kind, required=False)
    return _tab(
        request,
        cart,
        of,
        page=page,
        error=error,
        filter=chosen,
        rows=[(row, _input(field, row)) for row in page.rows],
        suggestions=field.suggestions,
    )


def _tab(request: HttpRequest, cart: Cart, kind: Kind, **context: Any) -> HttpResponse:
    own = {"kind": kind, "noun": f"{kind.label.lower()}s", "here": reverse(f"carts:{NAME[kind]}", args=[cart.pk])}
    return cart_tab(request, cart, "mapping", **own, **context)


def _input(field: forms.Field, row: mapping.MappingRow) -> str:
    """The box that holds what the row is to be linked with: what is suggested, until somebody types."""
    value = field.prepare_value(row.ours.id) if row.ours and row.record.local_id is None else ""
    label = f"Ours for {row.record.label or row.record.name}"
    return field.widget.render(f"ours-{row.record.pk}", value, {**field.widget.attrs, "aria-label": label})


def _act(request: HttpRequest, cart: Cart, kind: Kind) -> HttpResponse:
    ids = [int(each) for each in request.POST.getlist("ids") if each.isdecimal() and len(each) < 18]
    records = list(mapping.records_of(cart, kind).filter(pk__in=ids).select_related("cart").order_by("pk"))
    action = request.POST.get("action", "")
    if not records:
        messages.error(request, "Nothing was selected, so nothing was changed. Tick some rows first.")
    elif action in DONE:
        doing = {
            "link": lambda record: mapping.link(record, _chosen(request, kind, record)),
            "unlink": mapping.unlink,
            "create": mapping.create,
            "ignore": mapping.ignore,
        }[action]
        done, refused = mapping.each(records, doing)
        if done:
            messages.success(request, f"{done} {DONE[action]}.")
        for sentence in refused[:REFUSED_SHOWN]:
            messages.error(request, sentence)
        if len(refused) > REFUSED_SHOWN:
            messages.error(request, f"... and {len(refused) - REFUSED_SHOWN} more were refused.")
    return redirect(f"{reverse(f'carts:{NAME[kind]}', args=[cart.pk])}?{request.GET.urlencode()}")


def _chosen(request: HttpRequest, kind: Kind, record: Record) -> int:
    typed = request.POST.get(f"ours-{record.pk}", "").strip()
    if not typed:
        raise Refused(f"{record} was not linked: nothing of ours stands beside it. Type one, then click Link.")
    try:
        return OursField(kind.value).clean(typed)
    except ValidationError as error:
        raise Refused(f"{record} was not linked: {' '.join(error.messages)}") from None


@require_POST
@panel
def read_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Read every record of the live cart, so that it can be mapped."""
    cart, kind = get_object_or_404(Cart, pk=pk), _kind(request.POST)
    with told(request):
        key = request_key(request, cart, kind, ["read all"])
        return redirect("carts:run", reading_all.begin(cart, kind, request.user.get_username(), key).pk)
    return redirect(f"carts:{NAME[kind]}", pk)


@panel
def table(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: the mapping as CSV. POST: a CSV to look at, or with `apply` to apply."""
    cart = get_object_or_404(Cart, pk=pk)
    kind = _kind(request.POST if request.method == "POST" else request.GET)
    if request.method == "GET":
        answer = HttpResponse("\ufeff" + mapping_csv.export(cart, kind), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="mapping-{cart.pk}-{kind}s.csv"'
        return answer
    with told(request):
        text = _text(request)
        if request.POST.get("apply"):
            counts = mapping_csv.counted(mapping_csv.apply(cart, kind, text))
            messages.success(request, f"Applied. {_counts(counts)}")
            return redirect(f"carts:{NAME[kind]}", pk)
        changes = mapping_csv.preview(cart, kind, text)
        shown = [change for change in changes if change.action != mapping_csv.KEEP]
        counts = mapping_csv.counted(changes)
        return _tab(
            request, cart, kind, preview=shown[:500], more=max(0, len(shown) - 500), counts=_counts(counts), text=text,
            applies=bool(counts.keys() & {mapping_csv.LINK, mapping_csv.UNLINK}),
        )  # fmt: skip
    return redirect(f"carts:{NAME[kind]}", pk)


def _kind(given: Any) -> Kind:
    return Kind.CUSTOMER if given.get("kind") == Kind.CUSTOMER else Kind.ITEM


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{action}: {number}" for action, number in counts.items()) + "."


def _text(request: HttpRequest) -> str:
    if "text" in request.POST:
        return request.POST["text"]
    upload = request.FILES.get("file")
    if upload is None:
        raise Refused("No file was chosen. Choose a CSV file, then click Preview.")
    if upload.size > MOST_BYTES:
        raise Refused("The file is larger than 2 MB. Split it, and import the parts one after the other.")
    try:
        return upload.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("The file is not written in UTF-8. Save it as CSV UTF-8, then import it again.") from None
