from django.contrib import admin
from django.urls import include, path

# The panel stands at the root and answers every address left over, so it comes last.
urlpatterns = [
    path("carts/", include("carts.urls")),
    path("", admin.site.urls),
]
