"""Addresses of the data platform."""

from django.urls import path

from shuren.datahub.views import catalogue_pages, lineage_pages, policy_files, quality_pages, source_pages
from shuren.datahub.views.open_data import desk

app_name = "datahub"
urlpatterns = [
    path("catalogue/", catalogue_pages.catalogue, name="catalogue"),
    path("catalogue/find/", catalogue_pages.find_lineage, name="find_lineage"),
    path("catalogue/lineage.ndjson", catalogue_pages.lineage_events, name="lineage_events"),
    path("catalogue/policy.schema.json", policy_files.policy_schema, name="policy_schema"),
    path("catalogue/<str:asset_id>/policy.json", policy_files.policy, name="policy"),
    path("catalogue/<str:asset_id>/", catalogue_pages.asset, name="asset"),
    path("catalogue/<str:asset_id>/lineage/", lineage_pages.asset_lineage, name="asset_lineage"),
    path("catalogue/<str:asset_id>/runs/", catalogue_pages.asset_runs, name="asset_runs"),
    path("open/", desk.openings_page, name="openings"),
    path("open/new/", desk.choose_dataset, name="choose_open_dataset"),
    path("open/new/<str:dataset>/", desk.new_opening, name="new_opening"),
    path("open/<str:opening_id>/", desk.opening, name="opening"),
    path("open/<str:opening_id>/change/", desk.change_opening, name="change_opening"),
    path("open/<str:opening_id>/check/", desk.check, name="check_opening"),
    path("open/<str:opening_id>/ask/", desk.ask, name="ask_opening"),
    path("open/<str:opening_id>/approve/", desk.approve, name="approve_opening"),
    path("open/<str:opening_id>/refuse/", desk.refuse, name="refuse_opening"),
    path("open/<str:opening_id>/withdraw/", desk.withdraw, name="withdraw_open_data"),
    path("sources/", source_pages.sources, name="sources"),
    path("sources/<str:element_code>/producer/", source_pages.producer, name="producer"),
    path("sources/<str:element_code>/refusals/", source_pages.refusals, name="refusals"),
    path("sources/<str:element_code>/precedence/", source_pages.precedence, name="precedence"),
    path("sources/<str:element_code>/values/", source_pages.goldens, name="goldens"),
    path("sources/<str:element_code>/values/accept/", source_pages.accept_goldens, name="accept_goldens"),
    path("values/<str:golden_id>/", source_pages.golden, name="golden"),
    path("quality/", quality_pages.quality, name="quality"),
    path("quality/<str:public_id>/", quality_pages.quality_of_org, name="quality_of_org"),
    path("quality/<str:public_id>/<str:rule_code>/", quality_pages.quality_rows, name="quality_rows"),
]
