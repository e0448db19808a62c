"""Addresses of what an account keeps: views of lists, hints it has read."""

from django.urls import path

from shuren.pages.views import hints, saved_views

app_name = "pages"
urlpatterns = [
    path("views/", saved_views.kept_views, name="saved_views"),
    path("views/<str:view_id>/delete/", saved_views.throw_away, name="delete_saved_view"),
    path("hints/", hints.hints, name="hints"),
    path("hints/put-away/", hints.put_away, name="put_hints_away"),
]
