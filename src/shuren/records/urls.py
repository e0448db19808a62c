"""Addresses of the xAPI resources, without a slash at their end as they are specified, of Caliper, of courses, and of pages."""

from django.urls import URLPattern, URLResolver, include, path

from shuren.records.views import arrivals, caliper, documents, learning, statements
from shuren.records.views.cmi5 import courses, learner, runtime, standings

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
courses_patterns: list[URLPattern] = [
    path("", learner.my_courses, name="my_courses"),
    path("choose/", learner.to_choose, name="courses_to_choose"),
    path("choose/<str:course_id>/", learner.take, name="take_course"),
    path("import/", courses.import_page, name="import_course"),
    path("mine/<str:registration_id>/", learner.course_of, name="course_of"),
    path("mine/<str:registration_id>/units/<str:part_id>/open/", learner.open_unit, name="open_unit"),
    path("mine/<str:registration_id>/units/<str:part_id>/waive/", standings.waive, name="waive_unit"),
    path("offered/", courses.courses, name="courses"),
    path("offered/<str:course_id>/", courses.course, name="course"),
    path("offered/<str:course_id>/people/", standings.people, name="course_people"),
    path("offered/<str:course_id>/give/", courses.give, name="give_course"),
    path("offered/<str:course_id>/look/", courses.look, name="look_at_course"),
    path("offered/<str:course_id>/withdraw/", courses.withdraw, name="withdraw_course"),
]
learning_patterns: list[URLPattern] = [
    path("", learning.mine, name="my_learning"),
    path("classes/", learning.classes, name="classes_learning"),
    path("classes/<str:org_id>/", learning.activities, name="learning_activities"),
    path("classes/<str:org_id>/learners/", learning.learners, name="learning_learners"),
    path("people/<str:person_id>/", learning.learner, name="learner"),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("xapi/", include([*documents_patterns, *statements_patterns])),
    path("caliper/", caliper.caliper, name="caliper"),
    path("courses/", include(courses_patterns)),
    path("cmi5/fetch/<str:key>", runtime.fetch, name="cmi5_fetch"),
    path("cmi5/content/<str:told>/<path:name>", runtime.content, name="cmi5_content"),
    path("learning/", include(learning_patterns)),
    path("records/", arrivals.arrivals, name="arrivals"),
    path("records/statements/", arrivals.statement_lines, name="statement_lines"),
    path("records/refused/", arrivals.refused, name="refused"),
]
