"""How the panel looks and what stands in its sidebar (django-unfold's settings)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def entry(title: str, icon: str, url_name: str, **more: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(url_name), **more}


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
        "show_all_applications": True,
        "navigation": [
            {
                "items": [
                    entry("Dashboard", "dashboard", "admin:index"),
                    entry("Carts", "shopping_cart", "carts:list"),
                    entry("Problems", "report", "carts:problems", badge="carts.badges.problems"),
                    entry("Runs", "history", "carts:runs"),
                ]
            },
        ],
    },
}
