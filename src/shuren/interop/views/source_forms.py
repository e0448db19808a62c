"""Input of the pages for sources of rosters."""

from collections.abc import Sequence

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from shuren.directory.data import OrgData
from shuren.interop.data import NewRosterSource, Resource, SourceMode
from shuren.interop.models import RosterSource
from shuren.interop.views.source_words import MODES, RESOURCES
from shuren.kernel import ids

SCOPES = "https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly"
_HOURS = ((0, _("只在我点“立即拉取”时")), (1, _("每小时")), (6, _("每 6 小时")), (24, _("每天")), (168, _("每周")))
_DAYS = ((1, _("每天")), (7, _("每周")), (30, _("每 30 天")))
_OPTIONAL = (Resource.CLASSES, Resource.ENROLLMENTS, Resource.SESSIONS, Resource.COURSES, Resource.DEMOGRAPHICS)
_TOPS = (
    ("below", _("对方的机构挂在本机构下面")),
    ("same", _("对方的最上级机构就是本机构：完整拉取时，本机构下面对方没有的机构和人员视为已离开")),
)


class SourceForm(forms.Form):
    """A source as an officer writes it down; on correcting, an empty secret keeps the one there is."""

    name = forms.CharField(label=_("名称"), max_length=80, help_text=_("例如：新湖区教务系统"))
    org = forms.ChoiceField(label=_("本机构"), help_text=_("名册写入这个机构和它下面"))
    address = forms.CharField(
        label=_("服务网址"),
        max_length=300,
        help_text=_(
            "对方 OneRoster 1.2 rostering 的网址，写到 v1p2 为止，例如 https://sis.example.cn/ims/oneroster/rostering/v1p2"
        ),
    )
    token_address = forms.CharField(label=_("令牌网址"), max_length=300, help_text=_("例如 https://sis.example.cn/oauth/token/"))
    client_id = forms.CharField(label=_("客户端编号"), max_length=200)
    secret = forms.CharField(
        label=_("密钥"),
        max_length=400,
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    scope = forms.CharField(label=_("权限范围（scope）"), max_length=600, required=False, initial=SCOPES)
    takes = forms.MultipleChoiceField(
        label=_("取哪些内容"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(one.value, RESOURCES[one]) for one in _OPTIONAL],
        initial=[one.value for one in _OPTIONAL if one is not Resource.DEMOGRAPHICS],
        help_text=_("机构和人员总是要取的；性别和出生日期要对方另外授权"),
    )
    top = forms.ChoiceField(label=_("机构怎样对上"), choices=_TOPS, widget=forms.RadioSelect, initial="below")
    mode = forms.ChoiceField(
        label=_("检查通过以后"),
        choices=[(mode.value, word) for mode, word in MODES.items()],
        widget=forms.RadioSelect,
        initial=SourceMode.ASK.value,
    )
    hours = forms.TypedChoiceField(label=_("多久拉取一次"), coerce=int, choices=_HOURS, initial=24)
    full_days = forms.TypedChoiceField(
        label=_("多久完整核对一次"),
        coerce=int,
        choices=_DAYS,
        initial=7,
        help_text=_("其余各次只取变化；完整核对能发现对方没有说明就消失的人"),
    )

    def __init__(self, data: QueryDict | None, *, orgs: Sequence[OrgData], row: RosterSource | None = None) -> None:
        super().__init__(data, initial=initial_of(row) if row else None)
        self._orgs = {ids.encode("org", org.id): org for org in orgs}
        self.fields["org"].choices = [(public_id, org.name) for public_id, org in self._orgs.items()]  # type: ignore[attr-defined]
        self.fields["secret"].required = row is None
        if row is not None:
            self.fields["secret"].help_text = _("留空表示不变；换了网址就要重新填写")

    def source(self) -> NewRosterSource:
        said = self.cleaned_data
        return NewRosterSource(
            name=said["name"],
            org_id=self._orgs[said["org"]].id,
            address=said["address"],
            token_address=said["token_address"],
            client_id=said["client_id"],
            secret=said["secret"],
            scope=" ".join(said["scope"].split()),
            takes=frozenset(Resource(one) for one in said["takes"]),
            is_same_top=said["top"] == "same",
            mode=SourceMode(said["mode"]),
            hours=said["hours"],
            full_days=said["full_days"],
        )


def initial_of(row: RosterSource) -> dict[str, object]:
    names = ("name", "address", "token_address", "client_id", "scope", "takes", "mode", "hours", "full_days")
    return {name: getattr(row, name) for name in names} | {
        "org": ids.encode("org", row.org_id),
        "top": "same" if row.is_same_top else "below",
    }
