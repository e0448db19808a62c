"""What pages of the catalogue call things, and whom they name as owners."""

from collections.abc import Iterable
from functools import cache

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext

from shuren.datahub.data import AssetKind, RunState
from shuren.datahub.rules.assets import names_of_owners
from shuren.directory import api as directory

KINDS: dict[AssetKind, str | Promise] = {
    AssetKind.TABLE: _("数据表"),
    AssetKind.DATASET: _("数据集"),
    AssetKind.FORM: _("表单"),
    AssetKind.REGISTER: _("台账"),
    AssetKind.FLOW: _("流程"),
    AssetKind.INDICATOR: _("指标"),
    AssetKind.REPORT: _("报告"),
    AssetKind.API: _("接口"),
    AssetKind.FILE: _("导入文件"),
    AssetKind.OUTSIDE: _("平台之外"),
}
GRADES: dict[str, str | Promise] = {
    "L1": _("L1 公开"),
    "L2": _("L2 内部"),
    "L3": _("L3 个人信息"),
    "L4": _("L4 敏感个人信息"),
}
STATES: dict[RunState, str | Promise] = {
    RunState.START: _("已开始"),
    RunState.RUNNING: _("进行中"),
    RunState.COMPLETE: _("已完成"),
    RunState.ABORT: _("已中止"),
    RunState.FAIL: _("失败"),
    RunState.OTHER: _("其他"),
    RunState.EVENT: _("任务说明"),
}
JOBS: dict[str, str | Promise] = {
    "directory.roster_import": _("导入名册"),
    "casework.register_import": _("导入台账"),
    "casework.freeze_collection": _("冻结数据采集"),
    "assessment.results_import": _("导入测验成绩"),
    "evaluation.run": _("测评"),
    "datahub.open_data": _("向公众开放数据"),
}
_ADDRESSES = {
    "import": ("front:import", "import_id"),
    "collection": ("casework:collection", "collection_id"),
    "run": ("evaluation:run", "run"),
}


def owners_named(owners: Iterable[str]) -> dict[str, str]:
    """Owners in words: an org by its name, an app by its caption, others as was declared or by their key."""
    told = set(owners) - {""}
    org_ids = {int(owner[4:]) for owner in told if owner.startswith("org:") and owner[4:].isdigit()}
    orgs = directory.orgs_by_ids(org_ids) if org_ids else {}
    named = {"": ""}
    told_names = cache(names_of_owners)
    for owner in told:
        kind, _colon, key = owner.partition(":")
        org = orgs.get(int(key)) if kind == "org" and key.isdigit() else None
        named[owner] = org.name if org else told_names(kind).get(key, key) if key else _app_name(owner)
    return named


def _app_name(owner: str) -> str:
    return str(_APPS[owner]) if owner in _APPS and apps.is_installed(f"shuren.{owner}") else owner


_APPS: dict[str, str | Promise] = {
    "assessment": _("测评项目"),
    "backups": _("备份与恢复"),
    "casework": _("表单与流程"),
    "certificates": _("证书"),
    "datahub": _("数据平台"),
    "directory": _("机构与人员"),
    "evaluation": _("测评报告"),
    "front": _("门户"),
    "identity": _("账号"),
    "intake": _("数据导入"),
    "interop": _("应用"),
    "kernel": _("基础"),
    "messaging": _("消息"),
    "pages": _("页面"),
    "records": _("学习记录"),
    "search": _("搜索"),
    "standards": _("数据标准"),
    "trust": _("存证"),
    "work": _("任务"),
}


def address_of_facts(facts: dict[str, object]) -> str:
    """Where the import, collection or run that a run was about is shown."""
    for name, (view, argument) in _ADDRESSES.items():
        if facts.get(name):
            try:
                return reverse(view, kwargs={argument: str(facts[name])})
            except NoReverseMatch:
                return ""
    return ""


def grade_word() -> str:
    return pgettext("data", "级别")


def kind_word() -> str:
    return pgettext("data", "类别")
