"""Handing out forms to others."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from shuren.casework.rules.specs.form import FormSpec
from shuren.casework.rules.xlsform.written import (
    CHOICES_COLUMNS,
    SETTINGS_COLUMNS,
    SURVEY_COLUMNS,
    ZH,
    xlsform_of,
)
from shuren.casework.selectors.definitions import read_version
from shuren.casework.selectors.drafts import access_definition
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound

Table = tuple[str, Sequence[str], list[tuple[str, ...]]]


def export_xlsform(*, actor: Actor, definition_id: int, now: datetime) -> tuple[str, list[Table]]:
    """The name of a form, and the sheets of its XLSForm; the last one lists what cannot be said there."""
    row = access_definition(actor=actor, id=definition_id, now=now)
    form = read_version(row.current_id or 0)
    if not isinstance(form, FormSpec):
        raise NotFound(_("没有找到这个定义。"))
    made = xlsform_of(form)
    settings = (form.title.zh, row.key.replace(".", "_"), ZH)
    tables: list[Table] = [
        ("survey", SURVEY_COLUMNS, [tuple(line.get(column, "") for column in SURVEY_COLUMNS) for line in made.survey]),
        ("choices", CHOICES_COLUMNS, list(made.choices)),
        ("settings", SETTINGS_COLUMNS, [settings]),
    ]
    if made.unsaid:
        tables.append((_("未写出"), (_("字段"), _("列"), _("平台里的写法")), list(made.unsaid)))
    audit.record(actor=actor, action="casework.form_exported", target=f"definition:{row.pk}", details={"key": row.key}, now=now)
    return row.title, tables
