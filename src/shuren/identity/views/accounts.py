"""Accounts looked after by those who hand out passwords or manage sign-in."""

from collections.abc import Callable
from datetime import datetime

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shuren.directory import api as directory
from shuren.directory.data import OrgData
from shuren.identity.api import actor_of, require_step_up
from shuren.identity.data import AccountData, AccountRow, AccountState, Purpose, SignInData
from shuren.identity.models import Account
from shuren.identity.selectors.account_list import PERMISSIONS, access_account, account_page, is_locked
from shuren.identity.selectors.accounts import account_data
from shuren.identity.selectors.factors import held_factors
from shuren.identity.selectors.sign_ins import sign_ins_of
from shuren.identity.services import tend_accounts
from shuren.identity.words import METHOD_NAMES, SLEEP_NAMES, STATE_NAMES
from shuren.kernel import audit, clock, ids
from shuren.kernel.data import Actor
from shuren.kernel.doors import sensitive_files
from shuren.kernel.errors import NotFound, Refused
from shuren.pages import api as pages
from shuren.pages.data import Action, CellKind, Choice, Column, EmptyState, Fact, Filter, ListQuery, ListSpec, Status

_STEPS: dict[str, tuple[Callable[..., object], object]] = {
    "sign-out": (tend_accounts.sign_account_out, gettext_lazy("已让这个账号在所有设备上退出。")),
    "sleep": (tend_accounts.hold_account, gettext_lazy("账号已休眠。")),
    "wake": (tend_accounts.wake_held_account, gettext_lazy("账号已唤醒。")),
    "unlock": (tend_accounts.unlock_account, gettext_lazy("已解除锁定。")),
    "reset-factors": (tend_accounts.reset_factors, gettext_lazy("第二种验证方式已清除，本人会收到通知。")),
}


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def accounts(request: HttpRequest) -> HttpResponseBase:
    """Every account that the signed-in person looks after."""
    actor, now = actor_of(request), clock.now()
    if directory.joint_scope(actor=actor, permissions=PERMISSIONS, now=now).is_empty:
        raise Refused(_("您当前的身份不能管理账号。"), remedy=_("请联系学校管理员或上级教育局。"))
    return _list(request, actor, None, now)


@sensitive_files(asked_by="export")
@never_cache
@require_GET
def accounts_of_org(request: HttpRequest, org_id: str) -> HttpResponseBase:
    """The accounts of one branch, such as a class."""
    actor, now = actor_of(request), clock.now()
    org = directory.orgs_by_ids([ids.decode("org", org_id)]).get(ids.decode("org", org_id))
    if org is None or not directory.joint_scope(actor=actor, permissions=PERMISSIONS, now=now).covers(org.path):
        raise NotFound(_("没有找到这个单位。"))
    return _list(request, actor, org, now)


@never_cache
@require_GET
def account_of_other(request: HttpRequest, account_id: str) -> HttpResponse:
    """One account: its state, what it holds, and where it is signed in."""
    now = clock.now()
    account = access_account(actor=actor_of(request), id=ids.decode("account", account_id), now=now)
    sign_ins = sign_ins_of(account.pk, session_key=None, now=now)
    locked = is_locked(account.pk, now=now)
    context = {
        "title": account.person.name if account.person else account.username,
        "state": Status(text=_("已锁定"), tone="bad") if locked else _state(account_data(account)),
        "facts": _facts(account),
        "actions": _actions(account_id, account, is_locked=locked, is_in=bool(sign_ins)),
        "sign_ins": [_said(row) for row in sign_ins],
        "breadcrumbs": [
            {"label": _("账号管理"), "url": reverse("identity:accounts")},
            {"label": account.username, "url": ""},
        ],
    }
    return render(request, "identity/account_of_other.html", context)


@require_step_up(Purpose.ISSUE_CREDENTIALS)
@require_POST
def tend_account(request: HttpRequest, account_id: str, step: str) -> HttpResponse:
    """Sign out, put to sleep, wake, unlock, or forget lost factors."""
    if step not in _STEPS:
        raise Http404
    take, done = _STEPS[step]
    take(actor=actor_of(request), account_id=ids.decode("account", account_id), now=clock.now())
    messages.success(request, str(done))
    return redirect("identity:account_of_other", account_id=account_id)


def _list(request: HttpRequest, actor: Actor, org: OrgData | None, now: datetime) -> HttpResponseBase:
    def rows(query: ListQuery) -> object:
        asked = query.filters.get("state", "")
        state = AccountState(asked) if asked in set(AccountState) else None
        return account_page(actor=actor, org=org, search=query.search, state=state, number=query.number, size=query.size, now=now)

    def note_export(query: ListQuery, form: str) -> None:
        details = {"form": form, "state": query.filters.get("state", ""), "is_searched": bool(query.search)}
        reached = {target for held in PERMISSIONS for target in directory.list_targets(actor=actor, permission=held, now=now)}
        targets = [f"org:{org.id}"] if org else sorted(reached)
        entries = ((target, details) for target in targets)
        audit.record_many(actor=actor, action="identity.accounts_exported", entries=entries, now=now)

    spec: ListSpec[AccountRow] = ListSpec(
        name="accounts",
        title=_("%(org)s的账号") % {"org": org.short_name or org.name} if org else _("账号管理"),
        columns=_columns(),
        rows=rows,  # type: ignore[arg-type]  # a Page[AccountRow]
        filters=(
            Filter(
                key="state",
                label=_("状态"),
                choices=tuple(Choice(value=key.value, label=str(name)) for key, name in STATE_NAMES.items()),
            ),
        ),
        search_label=_("姓名、编号、用户名或手机号"),
        sizes=(50, 100, 200),
        on_export=note_export,
        empty=EmptyState(title=_("没有找到账号"), text=_("手机号要输全；姓名、编号和用户名输开头几个字就行。"), icon="users"),
    )
    crumbs = [{"label": _("账号管理"), "url": reverse("identity:accounts")}, {"label": spec.title, "url": ""}] if org else []
    return pages.render_list(request, spec, context={"breadcrumbs": crumbs})


def _columns() -> tuple[Column[AccountRow], ...]:
    return (
        Column(key="name", title=_("姓名"), value=lambda row: row.name, url=_url),
        Column(key="number", title=_("个人编号"), value=lambda row: row.number),
        Column(key="username", title=_("用户名"), value=lambda row: row.account.username if row.account else None),
        Column(key="org", title=_("单位"), value=lambda row: row.org_name or None),
        Column(key="state", title=_("账号状态"), value=lambda row: _state(row.account)),
        Column(
            key="seen",
            title=_("上次登录"),
            value=lambda row: row.account.last_sign_in_at if row.account else None,
            kind=CellKind.DATETIME,
        ),
    )


def _url(row: AccountRow) -> str:
    return reverse("identity:account_of_other", args=[ids.encode("account", row.account.id)]) if row.account else ""


def _state(account: AccountData | None) -> Status:
    if account is None:
        return Status(text=_("没有账号"), tone="plain")
    if not account.is_active:
        return Status(text=str(SLEEP_NAMES[account.sleep_reason]) if account.sleep_reason else _("已停用"), tone="bad")
    if not account.is_usable:
        return Status(text=_("未发放"), tone="plain")
    return (
        Status(text=_("已发放，待本人修改"), tone="warn")
        if account.must_change_password
        else Status(text=_("使用中"), tone="good")
    )


def _facts(account: Account) -> list[Fact]:
    held = held_factors(account.pk)
    return [
        Fact(label=_("个人编号"), value=account.person.number if account.person else None),
        Fact(label=_("用户名"), value=account.username),
        Fact(label=_("上次登录"), value=account.last_sign_in_at),
        Fact(label=_("休眠时间"), value=account.asleep_since),
        Fact(label=_("通行密钥"), value=held.passkeys),
        Fact(label=_("验证器"), value=_("有") if held.has_totp else _("没有")),
        Fact(label=_("剩余恢复码"), value=held.codes_left),
    ]


def _actions(account_id: str, account: Account, *, is_locked: bool, is_in: bool) -> list[Action]:
    def action(step: str, label: str, confirm: str, *, is_danger: bool = False) -> Action:
        url = reverse("identity:tend_account", args=[account_id, step])
        return Action(label=label, url=url, is_post=True, confirm=confirm, is_danger=is_danger)

    found, held = [], held_factors(account.pk)
    if is_locked:
        found.append(action("unlock", _("解除锁定"), _("确认是本人忘了密码，再解除锁定。")))
    if is_in:
        found.append(action("sign-out", _("全部退出"), _("让这个账号在所有设备上退出？")))
    if held.has_second or held.codes_left:
        ask = _("先当面核实是本人。通行密钥、验证器、备用码和绑定的其他登录方式都会清除，所有设备退出。")
        found.append(action("reset-factors", _("清除验证方式"), ask, is_danger=True))
    if account.is_active:
        found.append(action("sleep", _("休眠"), _("休眠后本人不能登录，直到有人唤醒。"), is_danger=True))
    elif account.sleep_reason in set(tend_accounts.WAKEABLE):
        found.append(action("wake", _("唤醒"), _("唤醒后本人可以用原来的密码登录。")))
    return found


def _said(row: SignInData) -> dict[str, object]:
    methods = "、".join(str(METHOD_NAMES[method]) for method in row.methods)
    return {"row": row, "methods": methods}
