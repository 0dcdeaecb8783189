"""How the panel looks and what stands in its sidebar (django-unfold's settings)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy

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
            {"items": [{"title": "Dashboard", "icon": "dashboard", "link": reverse_lazy("admin:index")}]}
        ],
    },
}
