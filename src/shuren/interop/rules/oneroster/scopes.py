"""The scopes that open the service; an endpoint takes any one of those it lists."""

PREFIX = "https://purl.imsglobal.org/spec/or/v1p2/scope/"


def scope(name: str) -> str:
    return PREFIX + name


CORE = (scope("roster-core.readonly"), scope("roster.readonly"))
NESTED = (scope("roster.readonly"),)
DEMOGRAPHICS = (scope("roster-demographics.readonly"),)
GRADES_CORE = (scope("gradebook-core.readonly"), scope("gradebook.readonly"))
GRADES = (scope("gradebook.readonly"),)
GRADES_PUT = (scope("gradebook.createput"),)
GRADES_POST = (scope("gradebook.createpost"),)
GRADES_DELETE = (scope("gradebook.delete"),)
ASSESSMENTS = (scope("assessment.readonly"),)
ASSESSMENTS_PUT = (scope("assessment.createput"),)
ASSESSMENTS_DELETE = (scope("assessment.delete"),)
RESOURCES_CORE = (scope("resource-core.readonly"), scope("resource.readonly"))
RESOURCES = (scope("resource.readonly"),)
ALL = tuple(
    dict.fromkeys(
        (
            *CORE,
            *DEMOGRAPHICS,
            *GRADES_CORE,
            *GRADES_PUT,
            *GRADES_POST,
            *GRADES_DELETE,
            *ASSESSMENTS,
            *ASSESSMENTS_PUT,
            *ASSESSMENTS_DELETE,
            *RESOURCES_CORE,
        )
    )
)
