"""Addresses of open data: nobody signs in to read them, and none ever changes."""

from django.urls import path

from shuren.datahub.views.open_data import public

app_name = "open"
urlpatterns = [
    path("", public.catalogue, name="catalogue"),
    path("datasets.json", public.datasets_json, name="datasets_json"),
    path("catalogue.<slug:form>", public.catalogue_rdf, name="catalogue_rdf"),
    path("<str:number>/", public.dataset, name="dataset"),
    path("<str:number>/rows.json", public.rows_json, name="rows_json"),
    path("<str:number>/v<int:version>.csv", public.csv_file, name="csv_file"),
    path("<str:number>/v<int:version>.parquet", public.parquet_file, name="parquet_file"),
]
