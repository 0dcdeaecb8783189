"""How the panel looks and what stands in its sidebar (django-unfold's settings)."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def entry(title: str, icon: str, url_name: str, permission: str = "", **more: Any) -> dict[str, Any]:
    """One line of the sidebar; with a permission ("app.view_model"), only for staff who have it."""
    line: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url_name), **more}
    if permission:
        line["permission"] = lambda request: request.user.has_perm(permission)
    return line


def records(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return entry(title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}")


LOOK = "carts.view_cart"


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar. Carts and counts are asked for with every page, so that they are true."""
    # The settings name this file before any model can be imported.
    from carts import badges

    return [
        {
            "items": [
                entry("Dashboard", "dashboard", "admin:index"),
                entry("Carts", "shopping_cart", "carts:list", LOOK, active=badges.is_list_of_carts),
                *badges.cart_entries(request),
                entry("Problems", "report", "carts:problems", LOOK, **badges.problems(request)),
                entry("Runs", "history", "carts:runs", LOOK),
            ]
        },
        {
            "title": "Back office",
            "separator": True,
            "items": [
                records("Items", "inventory_2", "backoffice", "item"),
                records("Customers", "group", "backoffice", "customer"),
                records("Documents", "description", "backoffice", "document"),
                records("Stock", "warehouse", "backoffice", "stockmovement"),
                records("Accounts", "account_balance", "backoffice", "account"),
            ],
        },
        {
            "separator": True,
            "items": [
                entry("Settings", "settings", "carts:settings", LOOK),
                records("Users", "person", "auth", "user"),
                records("Groups", "groups", "auth", "group"),
            ],
        },
    ]


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "CartSync",
    "SITE_HEADER": "CartSync",
    "SITE_SYMBOL": "shopping_cart",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("cartsync/favicon.svg")}],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [lambda request: static("cartsync/panel.css")],
    "SCRIPTS": [lambda request: static("cartsync/panel.js")],
    "DASHBOARD_CALLBACK": "carts.views.dashboard.fill",
    # Never the list of all applications: every page that staff need has its line.
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": navigation},
}
