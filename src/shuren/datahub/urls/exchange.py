"""Addresses at which other installations call."""

from django.urls import path

from shuren.datahub.views.exchange import calls

app_name = "exchange"
urlpatterns = [
    path("introductions", calls.introductions, name="introductions"),
    path("letters", calls.letters, name="letters"),
    path("packets", calls.packets, name="packets"),
    path("packets/<str:uid>/<str:digest>", calls.packet, name="packet"),
    path("packets/<str:uid>/<str:digest>/file", calls.packet_file, name="packet_file"),
]
