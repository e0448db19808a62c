"""Addresses of tests, below `/assessments/`."""

from django.urls import path

from shuren.assessment import views

app_name = "assessment"
urlpatterns = [
    path("", views.assessments, name="assessments"),
    path("<str:public_id>/", views.assessment, name="assessment"),
    path("<str:public_id>/participation/", views.participation, name="participation"),
    path("<str:public_id>/codebook/", views.codebook, name="codebook"),
]
