"""What a form refuses, with every fault at once."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from shuren.casework.data import FieldFault
from shuren.kernel.errors import Invalid


class FormRefused(Invalid):
    """`faults` names every value that must be mended."""

    def __init__(self, faults: Sequence[FieldFault]) -> None:
        first = faults[0]
        told = {"count": len(faults), "title": first.title, "reason": first.reason}
        super().__init__(_("有 %(count)d 处需要修改：%(title)s，%(reason)s。") % told, remedy=first.remedy)
        self.faults = tuple(faults)
