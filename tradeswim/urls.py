"""All addresses of the site."""

from django.conf import settings
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from accounts.admin import administration
from tradeswim.api_errors import not_found

urlpatterns = [
    path("", include("orders.urls")),
    path("", include("accounts.urls")),
    path("api/v1/", include("accounts.api.urls")),
    path("api/v1/", include("orders.api.urls")),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^api/(?P<path>[\s\S]*)$", not_found),  # a line break, too: never a page
]
if settings.ADMIN_PATH:
    urlpatterns.append(path(settings.ADMIN_PATH, administration.urls))

handler500 = "tradeswim.api_errors.server_error"
