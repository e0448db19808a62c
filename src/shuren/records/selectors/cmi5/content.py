"""Where the files of courses lie, and which of them an address names."""

from pathlib import Path

from django.conf import settings
from django.core import signing

from shuren.kernel.errors import NotFound
from shuren.records.models import Course

_SALT = "records.cmi5.content"
# As long as a session lives: whoever has the address of a file has it for a day at most.
OPEN_SECONDS = 24 * 3600


def folder_path(folder: str) -> Path:
    return Path(settings.MEDIA_ROOT) / "cmi5" / folder


def content_pass(course_id: int) -> str:
    """What stands in the addresses of a course's files instead of a cookie."""
    return signing.dumps(course_id, salt=_SALT)


def content_file(told: str, name: str) -> Path:
    """The file `name` of the course that the pass names; raises `NotFound` for anything that is not such a file."""
    try:
        course_id = signing.loads(told, salt=_SALT, max_age=OPEN_SECONDS)
    except signing.BadSignature:
        raise NotFound("The address is not good any more; open the course again.") from None
    folder = Course.objects.filter(pk=course_id, withdrawn_at__isnull=True).values_list("folder", flat=True).first()
    if not folder or "\x00" in name:
        raise NotFound("There is no such file.")
    root = folder_path(folder).resolve()
    path = (root / name).resolve()
    try:
        is_there = path.is_relative_to(root) and path.is_file()
    except OSError:
        is_there = False
    if not is_there:
        raise NotFound("There is no such file.")
    return path
