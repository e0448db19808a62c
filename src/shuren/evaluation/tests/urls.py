"""The portal's map with this app at its place, whether or not the door has opened it yet."""

from django.urls import include, path

urlpatterns = [path("reports/", include("shuren.evaluation.urls")), path("", include("shuren.front.urls"))]
