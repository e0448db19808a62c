"""What the system itself, and the units of a course, are called as sources of statements."""

from django.utils.translation import gettext as _

from shuren.records.models import Course

# The system in statements of its own; with a colon and the row of a course, the units of that course.
CLIENT = "cmi5"


def space_of(course_id: int) -> str:
    """Units of one course share their documents, with each other and nobody else."""
    return f"{CLIENT}:{course_id}"


def course_client_name(client_id: str) -> str:
    """Empty for any other client."""
    if client_id == CLIENT:
        return _("课程（平台）")
    head, _sign, number = client_id.partition(":")
    if head != CLIENT or not number.isdecimal() or len(number) > 18:
        return ""
    return Course.objects.filter(pk=int(number)).values_list("name", flat=True).first() or ""
