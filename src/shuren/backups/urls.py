"""Addresses of backups and drills."""

from django.urls import path

from shuren.backups import views

app_name = "backups"
urlpatterns = [
    path("backups/", views.backups, name="backups"),
    path("backups/<str:run_id>/", views.run, name="run"),
    path("backups/<str:run_id>/report.json", views.report, name="report"),
]
