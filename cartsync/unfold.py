"""How the panel looks and what stands in its sidebar (django-unfold's settings)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def entry(title: str, icon: str, url_name: str, permission: str = "", **more: str) -> dict[str, Any]:
    """One line of the sidebar; with a permission ("app.view_model"), only for staff who have it."""
    line: dict[str, Any] = {"title": title, "icon": icon, "link": reverse_lazy(url_name), **more}
    if permission:
        line["permission"] = lambda request: request.user.has_perm(permission)
    return line


def records(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return entry(title, icon, f"admin:{app}_{model}_changelist", f"{app}.view_{model}")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "CartSync",
    "SITE_HEADER": "CartSync",
    "SITE_SYMBOL": "shopping_cart",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("cartsync/favicon.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {
        "show_search": False,
        "navigation": [
            {
                "items": [
                    entry("Dashboard", "dashboard", "admin:index"),
                    entry("Carts", "shopping_cart", "carts:list"),
                    entry("Problems", "report", "carts:problems", badge="carts.badges.problems"),
                    entry("Runs", "history", "carts:runs"),
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
                "title": "Settings",
                "separator": True,
                "items": [
                    records("Users", "person", "auth", "user"),
                    records("Groups", "groups", "auth", "group"),
                ],
            },
        ],
    },
}
