"""Addresses of sign-in and the own account."""

from django.urls import path

from shuren.identity.views import sign_in

app_name = "identity"
urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
]
