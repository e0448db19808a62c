"""The map of the house: which app answers which address."""

from django.urls import include, path

from shuren.front.views import home

handler400 = "shuren.front.errors.bad_request"
handler403 = "shuren.front.errors.refused"
handler404 = "shuren.front.errors.not_found"
handler500 = "shuren.front.errors.server_error"

front_patterns = [
    path("", home.home, name="home"),
    path("health/", home.health, name="health"),
]

urlpatterns = [
    path("", include((front_patterns, "front"))),
    path("", include("shuren.identity.urls")),
]
