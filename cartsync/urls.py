from django.contrib import admin
from django.urls import include, path

from carts.views import webhooks
from cartsync import monitoring

# The panel stands at the root and answers every address left over, so it comes last.
urlpatterns = [
    path("healthz", monitoring.healthz),
    path("metrics", monitoring.metrics),
    path("hooks/<str:key>/", webhooks.receive, name="webhook"),
    path("carts/", include("carts.urls")),
    path("", admin.site.urls),
]
