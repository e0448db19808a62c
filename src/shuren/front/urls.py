"""The map of the house: which app answers which address."""

from django.urls import include, path

from shuren.front.mounting import at_root
from shuren.front.rest.root import api
from shuren.front.views import audit, audit_archive, home, imports, jobs, language, notices, outbox, quarantine, search, standards

handler400 = "shuren.front.errors.bad_request"
handler403 = "shuren.front.errors.refused"
handler404 = "shuren.front.errors.not_found"
handler500 = "shuren.front.errors.server_error"

front_patterns = [
    path("", home.home, name="home"),
    path("health/", home.health, name="health"),
    path("language/", language.language, name="language"),
    path("imports/", imports.imports, name="imports"),
    path("imports/new/<str:kind_name>/", imports.new_import, name="new_import"),
    path("imports/new/<str:kind_name>/template/", imports.import_template, name="import_template"),
    path("imports/quarantine/", quarantine.quarantine, name="quarantine"),
    path("imports/quarantine/send/", quarantine.send_quarantined, name="send_quarantined"),
    path("imports/quarantine/discard/", quarantine.discard_quarantined, name="discard_quarantined"),
    path("imports/quarantine/<str:row_id>/", quarantine.quarantined_row, name="quarantined_row"),
    path("imports/<str:import_id>/", imports.import_page, name="import"),
    path("imports/<str:import_id>/set-aside/", quarantine.quarantine_import, name="quarantine_import"),
    path("imports/<str:import_id>/quarantine/", quarantine.quarantine_of_import, name="quarantine_of_import"),
    path("imports/<str:import_id>/quarantine/send/", quarantine.send_import_again, name="send_import_again"),
    path("imports/<str:import_id>/quarantine/file/", quarantine.quarantine_file, name="quarantine_file"),
    path("imports/<str:import_id>/quarantine/upload/", quarantine.upload_mended, name="upload_mended"),
    path("imports/<str:import_id>/progress/", imports.import_progress, name="import_progress"),
    path("imports/<str:import_id>/findings/", imports.import_findings, name="import_findings"),
    path("imports/<str:import_id>/workbook/", imports.import_workbook, name="import_workbook"),
    path("imports/<str:import_id>/apply/", imports.apply_import, name="apply_import"),
    path("imports/<str:import_id>/undo/", imports.undo_import, name="undo_import"),
    path("jobs/", jobs.jobs, name="jobs"),
    path("jobs/<str:job_id>/", jobs.job_page, name="job"),
    path("jobs/<str:job_id>/progress/", jobs.job_progress, name="job_progress"),
    path("jobs/<str:job_id>/cancel/", jobs.cancel_job, name="cancel_job"),
    path("audit/", audit.audit, name="audit"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("audit/evidence/", audit.evidence, name="audit_evidence"),
    path("audit/archive/", audit_archive.audit_archive, name="audit_archive"),
    path("audit/archive/entries/", audit_archive.audit_archived, name="audit_archived"),
    path("audit/archive/files/<str:name>", audit_archive.audit_archive_file, name="audit_archive_file"),
    path("standards/", standards.code_sets, name="standards"),
    path("standards/sets/<str:code>/", standards.code_set, name="code_set"),
    path("standards/elements/", standards.elements, name="standard_elements"),
    path("standards/elements/<str:code>/", standards.element, name="standard_element"),
    path("standards/formats/", standards.formats, name="standard_formats"),
    path("standards/formats/<str:code>/", standards.exchange_format, name="standard_format"),
    path("standards/formats/<str:code>/schema.json", standards.schema, name="standard_schema"),
    path("standards/editions/", standards.editions, name="standard_editions"),
    path("standards/editions/<int:number>/", standards.edition, name="standard_edition"),
    path("standards/editions/<int:number>/undo/", standards.undo, name="undo_edition"),
    path("search/", search.search, name="search"),
    path("search/suggest/", search.suggest, name="suggest"),
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.read_notices, name="read_notices"),
    path("notices/<str:notice_id>/", notices.notice, name="notice"),
]
urlpatterns = [
    at_root((front_patterns, "front")),
    at_root("shuren.pages.urls"),
    at_root("shuren.identity.urls"),
    at_root("shuren.directory.urls"),
    at_root("shuren.interop.urls"),
    at_root("shuren.certificates.urls"),
    path("open/", include("shuren.datahub.urls.open")),
    path("exchange/v1/", include("shuren.datahub.urls.exchange")),
    at_root("shuren.casework.urls"),
    at_root("shuren.backups.urls"),
    path("data/", include("shuren.datahub.urls")),
    at_root("shuren.records.urls"),
    path("assessments/", include("shuren.assessment.urls")),
    path("reports/", include("shuren.evaluation.urls")),
    path("api/v1/", api.urls),
]
