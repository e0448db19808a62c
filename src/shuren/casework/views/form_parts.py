"""What pages that hold a form share: drawing it, and working out what was sent."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import localdate, localtime
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from shuren.casework.data import FieldFault
from shuren.casework.forms import Press, posted_data, read_patch, read_press
from shuren.casework.rules.drawn import Drawer, browser_form, fault_text, field_id, shown_sections
from shuren.casework.rules.forms import signed, taken_over, with_parties
from shuren.casework.rules.specs.form import FieldSpec, FormSpec
from shuren.casework.selectors.parties import known_party
from shuren.casework.services.attachments import accept_words, file_field
from shuren.kernel import clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.errors import Invalid, NotFound
from shuren.pages.api import number_in
from shuren.standards import api as standards
from shuren.standards.data import Grade

_PERSONAL = (Grade.PERSONAL, Grade.SENSITIVE)
_HIDDEN = "***"


class Sourced(Protocol):
    """A value that the region already holds, and where."""

    @property
    def value(self) -> Any: ...

    @property
    def source(self) -> str: ...


# Keeps a file that was sent for a field (its path) and returns how the form names it.
AddFile = Callable[[str, "UploadedFile[bytes]"], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Worked:
    """What came of what was sent: `data` to be saved, the button pressed, what was refused at once (a file, a signature)."""

    data: dict[str, Any]
    press: Press
    faults: tuple[FieldFault, ...] = ()
    blank_rows: tuple[str, ...] = ()
    # The revision that the page was drawn from; who saves over a later one undoes what others did.
    revision: int | None = None

    @property
    def is_submit(self) -> bool:
        return self.press.act == "submit" and not self.faults

    @property
    def place(self) -> str:
        """Where on the page the work went on, as the fragment of an address."""
        return field_id(self.press.at) if self.press.at else "main"


def form_context(
    form: FormSpec,
    data: Mapping[str, Any],
    *,
    now: datetime | None = None,
    faults: Sequence[FieldFault] = (),
    prefilled: Mapping[str, Sourced] | None = None,
    is_readonly: bool = False,
    is_masked: bool = False,
    revision: int = 0,
    saved_at: datetime | None = None,
    save_url: str = "",
    upload_url: str = "",
    objection_url: str = "",
    blank_rows: Iterable[str] = (),
    changed: Iterable[str] = (),
) -> dict[str, Any]:
    """What `casework/_form.html` draws, under the one name `sheet`; read-only it draws `casework/_values.html`."""
    if is_readonly:
        return values_context(form, data, now=now, is_masked=is_masked, changed=changed)
    language, today = get_language() or "zh-hans", localdate(now or clock.now())
    held = prefilled or {}
    told = {**data, **{key: one.value for key, one in held.items()}}
    sources = {key: one.source for key, one in held.items()}
    drawer = Drawer(form, told, today=today, language=language, faults=faults, sources=sources, blank_rows=blank_rows)
    errors = [_for_summary(fault) for fault in faults if fault.is_error]
    settings = {
        "saveUrl": save_url,
        "uploadUrl": upload_url,
        "filesUrl": reverse("casework:attachment", args=["0" * 13]),
        "partiesUrl": reverse("casework:parties"),
        "workerUrl": reverse("casework:form_worker"),
        "revision": revision,
        "locked": sorted(sources),
        "held": {key: one.value for key, one in held.items()},
        "form": browser_form(form, today=today, language=language),
        "words": browser_words(),
    }
    sheet = {
        # Templates would take a missing key for the dictionary's own method.
        "values": (),
        "sections": drawer.sections(),
        "errors": errors,
        "errors_title": ngettext("有 %(count)d 处需要修改", "有 %(count)d 处需要修改", len(errors)) % {"count": len(errors)},
        "warnings": [_for_summary(fault) for fault in faults if not fault.is_error],
        "settings": settings,
        "saved_at": localtime(saved_at) if saved_at else None,
        "objection_url": objection_url,
        "has_files": _takes_files(form),
        "accepts": {field.key: accept_words(field) for field in _file_fields(form)},
        "held_count": len(sources),
    }
    return {"sheet": sheet}


def values_context(
    form: FormSpec,
    data: Mapping[str, Any],
    *,
    now: datetime | None = None,
    is_masked: bool = False,
    changed: Iterable[str] = (),
) -> dict[str, Any]:
    """What `casework/_values.html` draws; masked, what is graded L3 and L4 is hidden as its element says."""
    hide = hidden_text if is_masked else _whole
    language = get_language() or "zh-hans"
    sections = shown_sections(form, data, today=localdate(now or clock.now()), language=language, hide=hide, changed=changed)
    return {"sheet": {"values": sections, "is_masked": is_masked}}


def hidden_text(field: FieldSpec, text: str) -> str:
    """What is left of a personal value; one without an element shows nothing of itself."""
    if field.grade not in _PERSONAL:
        return text
    if field.element and standards.known_element(field.element) is not None:
        return standards.mask(text, field.element, may_see=False)
    return _HIDDEN


def _whole(field: FieldSpec, text: str) -> str:
    return text


def _for_summary(fault: FieldFault) -> dict[str, str]:
    row = Press("save", fault.path.partition(".")[0]).row[1]
    title = _("第 %(number)d 行 %(title)s") % {"number": row + 1, "title": fault.title} if row >= 0 else fault.title
    return {"id": field_id(fault.path), "title": title, "text": fault_text(fault)}


def _file_fields(form: FormSpec) -> list[FieldSpec]:
    own = [*form.fields, *(column for field in form.fields for column in field.columns)]
    return [field for field in own if field.type is not None and field.type.value == "file"]


def _takes_files(form: FormSpec) -> bool:
    return bool(_file_fields(form))


def worked_post(
    form: FormSpec,
    request: HttpRequest,
    *,
    kept: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    files: Mapping[str, Mapping[str, Any]] | None = None,
    add_file: AddFile | None = None,
    locked: Collection[str] = (),
) -> Worked:
    """What a form page sent, over what was `kept`: rows added and taken out, files taken in, the signature made.

    `files` are those the form may name (`selectors.attachments.files_of`). The caller saves `data` as a draft whatever the
    button was; where `is_submit`, it goes on to hand it in.
    """
    press = read_press(request.POST)
    told = posted_data(form, request.POST, locked=locked)
    data = _known(form, told, kept=kept, files=files or {}, locked=locked, actor=actor, now=now)
    faults = _take_files(form, request, data, add_file) if add_file else []
    blank: tuple[str, ...] = ()
    if press.act == "add_row":
        blank = (press.at,)
    elif press.act == "remove_row":
        table, number = press.row
        data[table] = [row for place, row in enumerate(data.get(table) or []) if place != number]
    elif press.act == "remove_file":
        _remove_file(form, data, press.at)
    elif press.act == "unsign":
        data.pop(press.at, None)
    elif press.act == "sign":
        data, wrong = _sign(form, data, press.at, actor=actor, now=now)
        faults += wrong
    return Worked(data, press, tuple(faults), blank, number_in(request.POST.get("revision", "")))


def worked_patch(
    form: FormSpec,
    request: HttpRequest,
    *,
    kept: Mapping[str, Any],
    actor: Actor,
    now: datetime,
    files: Mapping[str, Mapping[str, Any]] | None = None,
    locked: Collection[str] = (),
) -> tuple[int, dict[str, Any]]:
    """What the browser saved while somebody typed: the revision it was typed on, and the data to be kept."""
    patch = read_patch(request.body)
    return patch.revision, _known(form, patch.data, kept=kept, files=files or {}, locked=locked, actor=actor, now=now)


def _known(
    form: FormSpec,
    told: Mapping[str, Any],
    *,
    kept: Mapping[str, Any],
    files: Mapping[str, Mapping[str, Any]],
    locked: Collection[str],
    actor: Actor,
    now: datetime,
) -> dict[str, Any]:
    data = taken_over(form, told, kept, files, locked=locked)
    return with_parties(form, data, kept, lambda field, value: known_party(field, value, actor=actor, now=now))


def _take_files(form: FormSpec, request: HttpRequest, data: dict[str, Any], add_file: AddFile) -> list[FieldFault]:
    faults = []
    for path in request.FILES:
        try:
            field = file_field(form, path)
            uploads = [upload for upload in request.FILES.getlist(path) if isinstance(upload, UploadedFile)]
            added = [add_file(path, upload) for upload in uploads]
        except Invalid as error:
            faults.append(FieldFault(path=path, title=str(field.title), reason=error.message, remedy=error.remedy))
        except NotFound:
            continue
        else:
            cells, key = _cells_of(data, path)
            cells[key] = [*(cells.get(key) or []), *added]
    return faults


def _cells_of(data: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The values in which a path ends, and its last key."""
    row = Press("save", path.partition(".")[0]).row
    if row[1] < 0:
        return data, path
    rows = data.setdefault(row[0], [])
    rows.extend({} for _missing in range(row[1] + 1 - len(rows)))
    return rows[row[1]], path.partition(".")[2]


def _remove_file(form: FormSpec, data: dict[str, Any], at: str) -> None:
    path, _colon, id = at.rpartition(":")
    try:
        file_field(form, path)
    except NotFound:
        return
    cells, key = _cells_of(data, path)
    cells[key] = [file for file in cells.get(key) or [] if file.get("id") != id]


def _sign(
    form: FormSpec, data: dict[str, Any], key: str, *, actor: Actor, now: datetime
) -> tuple[dict[str, Any], list[FieldFault]]:
    if actor.person_id is None:
        raise Invalid(_("只有本人登录后才能签名。"))
    checked = signed(
        form,
        data,
        key,
        person=ids.encode("person", actor.person_id),
        name=actor.name,
        at=localtime(now).isoformat(timespec="seconds"),
        today=localdate(now),
    )
    return checked.data, list(checked.faults)


def browser_words() -> dict[str, str]:
    """What the script of a form says; `{…}` is filled in there."""
    return {
        "saving": _("正在保存…"),
        "saved": _("已保存 {time}"),
        "kept": _("网络断开了，已存在这台设备上，联网后自动保存"),
        "queued": _("网络断开了，已在这台设备上排队，联网后自动提交"),
        "sending": _("正在提交…"),
        "refused": _("没有保存成功：{reason}"),
        "signedOut": _("登录已过期。填写的内容还在这台设备上，请重新登录后打开本页。"),
        "restored": _("已恢复这台设备上 {time} 没有保存完的内容"),
        "conflict": _("别人也改了这份表"),
        "conflictLead": _("下面几项两边不一样，请逐项选择留哪一个。没有列出的已经合并。"),
        "mine": _("我填的"),
        "theirs": _("对方填的"),
        "keepChosen": _("按所选保存"),
        "nothing": _("（空）"),
        "rows": _("{count} 行"),
        "left": _("还可以写 {count} 个字"),
        "over": _("超出 {count} 个字"),
        "row": _("第 {count} 行"),
        "yes": _("是"),
        "no": _("否"),
        "uploading": _("正在上传 {name}…"),
        "uploadFailed": _("{name} 没有上传成功：{reason}"),
        "offlineUpload": _("网络断开时不能上传文件，请联网后再传。"),
        "remove": _("删除"),
        "noParty": _("没有找到，请换个词再试"),
        "later": _("请稍后再试。"),
    }
