from django.urls import path, re_path

from shuren.evaluation.views import evidence, files, reports, runs

app_name = "evaluation"

ID = "[0-9a-z]{13}"

urlpatterns = [
    path("", runs.run_list, name="runs"),
    path("new/<slug:assessment>/", runs.declare, name="declare"),
    re_path(rf"^(?P<run>{ID})/pupils/(?P<person>{ID})\.(?P<form>pdf|xlsx|json)$", files.pupil_file, name="pupil_file"),
    re_path(rf"^(?P<run>{ID})/(?P<org>{ID})\.(?P<form>pdf|xlsx|json)$", files.report_file, name="report_file"),
    path("<slug:run>/pupils/<slug:person>/evidence/", evidence.score_page, name="score_evidence"),
    path("<slug:run>/pupils/<slug:person>/evidence/score.json", evidence.original_file, name="score_original"),
    path("<slug:run>/pupils/<slug:person>/evidence/proof.json", evidence.proof_file, name="score_proof"),
    path("<slug:run>/", runs.run_page, name="run"),
    path("<slug:run>/start/", runs.start, name="start"),
    path("<slug:run>/pupils/<slug:person>/", reports.pupil_page, name="pupil"),
    path("<slug:run>/<slug:org>/", reports.report_page, name="report"),
]
