"""One cart: its head, which stands above every tab, and the tab Auto-sync with View and Edit mode."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone

from carts.errors import CartError, Refused
from carts.forms import CartForm
from carts.models import Cart
from carts.platforms import DEFAULT, REGISTRY, platforms
from carts.services import control, pairs, platform_facts, state, stock_state, subscriptions, update_state
from carts.services.connections import capabilities, location_of
from carts.views.frame import forbidden, may_act, panel, partial, render, told

TABS = (
    ("cart", "Auto-sync"),
    ("orders", "Orders"),
    ("items", "Items"),
    ("customers", "Customers"),
    ("cart_orders", "Orders (Cart)"),
    ("cart_items", "Items (Cart)"),
    ("cart_customers", "Customers (Cart)"),
)
HISTORY_SHOWN = 20


def cart_tab(request: HttpRequest, cart: Cart, tab: str, **context: Any) -> HttpResponse:
    """A page of this cart: state, buttons and tabs above what the tab's own template shows."""
    tabs = [(label, reverse(f"carts:{name}", args=[cart.pk]), name == tab) for name, label in TABS]
    frame = {"cart": cart, "state": state.state_of(cart), "tabs": tabs, "zone": control.shop_zone(cart)}
    return render(request, f"carts/tabs/{tab}.html", cart.name, **frame, **context)


@panel
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """GET: the settings to read, with ?edit=1 the form. POST: the form, with Save, Start, Stop or Test Connection."""
    cart = get_object_or_404(Cart, pk=pk)
    if request.method == "POST":
        return _save(request, cart)
    form = CartForm(instance=Cart.objects.get(pk=pk))
    return _auto_sync(request, cart, form, editing="edit" in request.GET and may_act(request))


def _auto_sync(request: HttpRequest, cart: Cart, form: CartForm, *, editing: bool) -> HttpResponse:
    return cart_tab(
        request,
        cart,
        "cart",
        form=form,
        editing=editing,
        columns=_columns(form, ["From Cart"], ["To Cart", "Connection"]),
        capabilities=capabilities(cart),
        retirement=platform_facts.retirement(capabilities(cart), timezone.now().date()),
        location=dict(cart.shop_locations).get(location_of(cart), ""),
        tested=control.is_tested(cart),
        stock=stock_state.of_cart(cart),
        contradictions=pairs.contradictions(cart),
        updates=update_state.of_cart(cart),
        hooks=subscriptions.of_cart(cart),
        changes=_history(cart),
    )


def _columns(form: CartForm, *titles: list[str]) -> list[list[Any]]:
    return [[form.section(title) for title in column] for column in titles]


def _save(request: HttpRequest, cart: Cart) -> HttpResponse:
    then = request.POST.get("then", "")
    form = CartForm(request.POST, instance=Cart.objects.get(pk=cart.pk))
    valid = form.is_valid()
    if then == "stop":
        # Stop does not wait for a form to be put right; what was typed stays in it, unsaved.
        with told(request):
            messages.success(request, control.stop(cart, request.user.get_username()))
        cart.refresh_from_db()
        return _auto_sync(request, cart, form, editing=True)
    if not valid:
        messages.error(request, "Nothing was saved: mend the fields marked below, then save again.")
        return _auto_sync(request, cart, form, editing=True)
    try:
        version = form.cleaned_data["version"] or 0
        control.save_cart(cart, form.changes(), form.credentials(), request.user.get_username(), version)
    except (Refused, CartError) as error:
        messages.error(request, error.sentence)
        return _auto_sync(request, cart, form, editing=True)
    messages.success(request, "Saved.")
    if then == "start":
        return redirect("carts:start", cart.pk)
    if then == "test":
        return test(request, cart.pk)
    return redirect("carts:cart", cart.pk)


@panel
def add(request: HttpRequest) -> HttpResponse:
    if not may_act(request):
        return forbidden(request)
    platform = request.POST.get("platform") or request.GET.get("platform") or DEFAULT
    new = control.new_cart(platform if platform in REGISTRY else DEFAULT)
    form = CartForm(request.POST if request.method == "POST" else None, instance=new)
    if form.is_valid():
        changes = {**form.changes(), "platform": new.platform}
        with told(request):
            cart = control.create_cart(changes, form.credentials(), request.user.get_username())
            messages.success(request, "Saved. Click Test Connection next.")
            return redirect("carts:cart", cart.pk)
    columns = _columns(form, ["Connection", "To Cart"], ["From Cart"])
    return render(request, "carts/add.html", "Add a cart", form=form, columns=columns, platforms=platforms(), cart=new)


@panel
def test(request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":
        return redirect("carts:cart", pk)
    cart = get_object_or_404(Cart, pk=pk)
    with told(request):
        result = control.test_connection(cart, request.user.get_username())
        level = messages.SUCCESS if result.passed else messages.ERROR
        messages.add_message(request, level, result.message)
    return redirect("carts:cart", pk)


@panel
def state_line(request: HttpRequest, pk: int) -> HttpResponse:
    """The sentence of state alone, asked for every few seconds."""
    cart = get_object_or_404(Cart, pk=pk)
    return partial(request, "carts/state.html", cart=cart, state=state.state_of(cart), zone=control.shop_zone(cart))


def _history(cart: Cart) -> list[dict[str, Any]]:
    """Who changed which settings when, newest first. Credentials are not part of the history."""
    versions = list(
        cart.history.select_related("history_user").order_by("-history_date", "-history_id")[: HISTORY_SHOWN + 1]
    )
    told = []
    for newer, older in zip(versions, [*versions[1:], None], strict=True):
        if older is None and len(versions) > HISTORY_SHOWN:
            break
        delta = newer.diff_against(older).changes if older else []
        named = [(_setting(change.field), change.old, change.new) for change in delta if change.field not in UNTOLD]
        told.append(
            {
                "at": newer.history_date,
                "reason": newer.history_change_reason,
                "by": newer.history_user,
                "changes": named,
                "first": older is None,
            }
        )
    return told


def _setting(name: str) -> str:
    """Both directions have a switch of the same name."""
    section = {"from": "From Cart: ", "to": "To Cart: "}.get(name.partition("_")[0], "")
    return f"{section}{Cart._meta.get_field(name).verbose_name}"


# Counters and marks of the engine; a person did not set them.
UNTOLD = frozenset({"settings_version", "started_at", "stopped_at", "stopped_note", "status", "created_at"})
