"""What is asked of the officers who write views of front databases down."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from shuren.datahub.data import ColumnWords, NewViewSource, TlsMode, ViewReading
from shuren.datahub.models import ViewSource
from shuren.datahub.rules.exchange.terms import EVERY
from shuren.datahub.rules.front_views.columns import CURSORS, ViewColumn, columns_in
from shuren.datahub.views.exchange.view_words import TLS, kind_words, named_with
from shuren.datahub.views.words import FREQUENCIES, MASKS
from shuren.directory.data import OrgData
from shuren.kernel import ids
from shuren.standards.data import Grade, MaskStyle

_GRADES = {
    Grade.PUBLIC: gettext_lazy("L1 公开"),
    Grade.INTERNAL: gettext_lazy("L2 内部"),
    Grade.PERSONAL: gettext_lazy("L3 个人信息"),
    Grade.SENSITIVE: gettext_lazy("L4 敏感个人信息"),
}
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class ViewSourceForm(forms.Form):
    """A view as an officer writes it down; on correcting, an empty password keeps the one there is."""

    title_zh = forms.CharField(label=gettext_lazy("名称"), max_length=120, help_text=gettext_lazy("例如：低保对象（民政）"))
    title_en = forms.CharField(label=gettext_lazy("英文名称"), max_length=120, required=False)
    key = forms.CharField(
        label=gettext_lazy("代号"),
        max_length=40,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=gettext_lazy("数据集叫 front.<代号>，以后不能改。小写字母、数字和下划线。"),
    )
    org = forms.ChoiceField(label=gettext_lazy("提供单位"), help_text=gettext_lazy("谁对这份数据负责；读不成时也通知它。"))
    host = forms.CharField(
        label=gettext_lazy("主机"),
        max_length=253,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=gettext_lazy("前置库的主机名或 IP 地址。内网地址要先列入 SHUREN_PRIVATE_TARGETS。"),
    )
    port = forms.IntegerField(label=gettext_lazy("端口"), min_value=1, max_value=65535, initial=5432)
    database = forms.CharField(label=gettext_lazy("数据库"), max_length=63, widget=forms.TextInput(attrs=_PLAIN))
    username = forms.CharField(
        label=gettext_lazy("用户名"),
        max_length=63,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=gettext_lazy("请对方给一个只能查询这个视图的用户。"),
    )
    password = forms.CharField(
        label=gettext_lazy("密码"),
        max_length=400,
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    tls = forms.ChoiceField(
        label=gettext_lazy("加密方式"),
        choices=[(mode.value, word) for mode, word in TLS.items()],
        widget=forms.RadioSelect,
        initial=TlsMode.VERIFY.value,
    )
    schema = forms.CharField(
        label=gettext_lazy("模式（schema）"), max_length=63, initial="public", widget=forms.TextInput(attrs=_PLAIN)
    )
    view = forms.CharField(label=gettext_lazy("视图名"), max_length=63, widget=forms.TextInput(attrs=_PLAIN))

    def __init__(self, data: QueryDict | None, *, orgs: Sequence[OrgData], row: ViewSource | None = None) -> None:
        super().__init__(data, initial=_initial_of(row) if row is not None else None)
        self._orgs = {ids.encode("org", org.id): org for org in orgs}
        self.fields["org"].choices = [(public_id, org.name) for public_id, org in self._orgs.items()]  # type: ignore[attr-defined]
        self.fields["password"].required = row is None
        self._key = row.key if row is not None else ""
        if row is not None:
            del self.fields["key"]
            self.fields["password"].help_text = _("留空表示不变；换了主机、端口、数据库或用户名就要重新填写。")

    def source(self) -> NewViewSource:
        said = self.cleaned_data
        names = ("title_zh", "title_en", "host", "port", "database", "username", "password", "schema", "view")
        told: dict[str, Any] = {name: said[name] for name in names}
        return NewViewSource(key=self._key or said["key"], org_id=self._orgs[said["org"]].id, tls=TlsMode(said["tls"]), **told)


class ReadingForm(forms.Form):
    """Which columns are taken, which make a row one, which grows, which names the org, and how often."""

    taken = forms.MultipleChoiceField(
        label=gettext_lazy("取哪些列"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("够用就好。新取的列先按个人信息全部隐去，请再逐列写明数据项或等级。"),
    )
    keys = forms.MultipleChoiceField(
        label=gettext_lazy("主键列"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("合起来能唯一确定一行；有空值或重复就不落库。"),
    )
    org = forms.ChoiceField(
        label=gettext_lazy("机构代码列"),
        required=False,
        help_text=gettext_lazy("说明一行属于哪个学校或机构，按机构标识码对应；对不上的行不取，会列出代码。"),
    )
    cursor = forms.ChoiceField(
        label=gettext_lazy("增量列"),
        required=False,
        help_text=gettext_lazy("只增不减的修改时间或流水号：以后只取比上一次大的行。不选就每次读取整个视图，有变化才替换。"),
    )
    every = forms.TypedChoiceField(label=gettext_lazy("多久读取一次"), coerce=int, initial=24 * 60)

    def __init__(self, data: QueryDict | None, *, row: ViewSource) -> None:
        columns = columns_in(row.columns)
        super().__init__(data, initial=_reading_of(row, columns))
        fit = [(one.name, named_with(one.name, kind_words(one.kind))) for one in columns if one.kind]
        grow = [(one.name, one.name) for one in columns if one.kind in CURSORS]
        choices: dict[str, list[tuple[Any, str]]] = {
            "taken": fit,
            "keys": fit,
            "org": [("", _("没有这样的列，全部归提供单位")), *((one.name, one.name) for one in columns if one.kind)],
            "cursor": [("", _("不选，每次读取整个视图")), *grow],
            "every": [(0, _("只在有人要时")), *((one, str(FREQUENCIES[one])) for one in EVERY)],
        }
        for name, offered in choices.items():
            self.fields[name].choices = offered  # type: ignore[attr-defined]

    def reading(self) -> ViewReading:
        said = self.cleaned_data
        return ViewReading(
            taken=tuple(said["taken"]),
            keys=tuple(said["keys"]),
            cursor=said["cursor"],
            org=said["org"],
            every_minutes=said["every"],
        )


class ColumnForm(forms.Form):
    """What a column is in the lake."""

    lake = forms.CharField(
        label=gettext_lazy("在数据湖里的列名"),
        max_length=63,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=gettext_lazy("小写字母开头的字母、数字和下划线。"),
    )
    element = forms.CharField(
        label=gettext_lazy("数据项"),
        max_length=80,
        required=False,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=gettext_lazy("数据标准里的代码，例如 person.name。写了它，等级、脱敏和代码集都从它来。"),
    )
    title_zh = forms.CharField(label=gettext_lazy("列的名称"), max_length=120, required=False)
    title_en = forms.CharField(label=gettext_lazy("列的英文名称"), max_length=120, required=False)
    grade = forms.ChoiceField(label=gettext_lazy("等级"), choices=[(one.value, word) for one, word in _GRADES.items()])
    mask = forms.ChoiceField(label=gettext_lazy("给无权的人看什么"), choices=[(one.value, MASKS[one]) for one in MaskStyle])

    def words(self) -> ColumnWords:
        return ColumnWords(**self.cleaned_data)


def column_title(column: ViewColumn) -> str:
    """In the reader's language; the name in the view where nobody gave one."""
    is_english = (get_language() or "").startswith("en")
    return (column.title_en if is_english and column.title_en else column.title_zh) or column.name


def _initial_of(row: ViewSource) -> dict[str, object]:
    names = ("title_zh", "title_en", "host", "port", "database", "username", "tls", "schema", "view")
    return {name: getattr(row, name) for name in names} | {"org": ids.encode("org", row.org_id)}


def _reading_of(row: ViewSource, columns: Sequence[ViewColumn]) -> dict[str, object]:
    taken = [one.name for one in columns if one.is_taken]
    told = {"taken": taken, "keys": row.key_columns, "org": row.org_column, "cursor": row.cursor_column}
    return told | {"every": row.every_minutes or 24 * 60} if not row.key_columns else told | {"every": row.every_minutes}
