"""Where what is found: the toolkit under /o, its metadata at the root as RFC 8414 wants it, and the bank's API."""

import api
from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.urls import metadata_urlpatterns

urlpatterns = [
    path("sign-in/", LoginView.as_view()),
    path("o/", include("oauth2_provider.urls")),
    path("", include((metadata_urlpatterns, "metadata"))),
    path("fdx/v6/", include(api.urlpatterns)),
]
