"""Addresses of open data: nobody signs in to read them, and none ever changes.

Open registers of casework lie beside them under `/open/`: no key of a register looks like a number.
"""

from django.urls import path, re_path

from shuren.datahub.views.open_data import public

_NUMBER = r"^(?P<number>OD-\d{4}-\d{4,8})/"

app_name = "open"
urlpatterns = [
    path("", public.catalogue, name="catalogue"),
    path("datasets.json", public.datasets_json, name="datasets_json"),
    path("catalogue.<slug:form>", public.catalogue_rdf, name="catalogue_rdf"),
    re_path(rf"{_NUMBER}$", public.dataset, name="dataset"),
    re_path(rf"{_NUMBER}rows\.json$", public.rows_json, name="rows_json"),
    re_path(rf"{_NUMBER}v(?P<version>\d{{1,6}})\.csv$", public.csv_file, name="csv_file"),
    re_path(rf"{_NUMBER}v(?P<version>\d{{1,6}})\.parquet$", public.parquet_file, name="parquet_file"),
]
