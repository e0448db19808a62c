"""Addresses of the xAPI resources, without a slash at their end as they are specified, of Caliper, and of the pages."""

from django.urls import URLPattern, URLResolver, include, path

from shuren.records.views import arrivals, caliper, documents, statements

app_name = "records"

documents_patterns: list[URLPattern] = [
    path("about", documents.about, name="about"),
    path("activities", documents.activities, name="activities"),
    path("activities/state", documents.state, name="state"),
    path("activities/profile", documents.activity_profile, name="activity_profile"),
    path("agents", documents.agents, name="agents"),
    path("agents/profile", documents.agent_profile, name="agent_profile"),
]
statements_patterns: list[URLPattern] = [path("statements", statements.statements, name="statements")]
urlpatterns: list[URLPattern | URLResolver] = [
    path("xapi/", include([*documents_patterns, *statements_patterns])),
    path("caliper/", caliper.caliper, name="caliper"),
    path("records/", arrivals.arrivals, name="arrivals"),
    path("records/statements/", arrivals.statement_lines, name="statement_lines"),
    path("records/refused/", arrivals.refused, name="refused"),
]
