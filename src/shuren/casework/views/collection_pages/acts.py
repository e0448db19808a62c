"""What issuers do to a collection and to single orgs."""

from datetime import timedelta

from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shuren.casework.models import CollectionTarget
from shuren.casework.selectors.collections.progress import progress_of
from shuren.casework.selectors.collections.reach import access_managed, access_target
from shuren.casework.services.collections.change import (
    ask_target_again,
    cancel_collection,
    exempt_target,
    extend_collection,
    extend_target,
)
from shuren.casework.services.collections.freeze import freeze_collection
from shuren.casework.services.collections.repeat import stop_repeating
from shuren.casework.services.collections.urge import count_to_urge, urge_collection
from shuren.casework.views.collection_pages.forms import DueForm, ExtendForm, FreezeForm, UrgeForm, WhyForm, due_by_default
from shuren.casework.views.collection_pages.parts import (
    collection_id_in,
    collection_url,
    head_of,
    org_path_at,
    reach_of,
    target_id_in,
    target_url,
)
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.pages.api import form_page, posted


@never_cache
@require_http_methods(["GET", "POST"])
def urge(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """How many would be urged, by which channels; the button starts it and leads back to the progress."""
    actor, now = actor_of(request), clock.now()
    reach = reach_of(request, collection_id)
    row = reach.collection
    path = org_path_at(request, reach)
    form = UrgeForm(posted(request))
    waiting = count_to_urge(row, reach.narrowed(path).paths, now=now)
    late = count_to_urge(row, reach.narrowed(path).paths, only_late=True, now=now)

    def save() -> str:
        said = form.cleaned_data
        urge_collection(
            actor=actor, collection_id=row.pk, path=path, only_late=said["only_late"], channels=form.chosen(), now=now
        )
        return collection_url(row)

    words = {"waiting": f"{waiting:,}", "late": f"{late:,}"}
    lead = _("现在可以催 %(waiting)s 个单位，其中逾期 %(late)s 个。一小时内催过的不再催。") % words
    crumbs = head_of(reach, "", here=_("一键催办"))["breadcrumbs"]
    title, done = _("一键催办"), _("正在催办。")
    return form_page(
        request, form, save, title=title, submit=title, back=collection_url(row), done=done, lead=lead, breadcrumbs=crumbs
    )


@never_cache
@require_http_methods(["GET", "POST"])
def extend(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_managed(actor=actor, id=collection_id_in(collection_id), now=now)
    form = DueForm(posted(request), initial={"due_at": due_by_default(timezone.localtime(row.due_at))})

    def save() -> str:
        extend_collection(actor=actor, collection_id=row.pk, due_at=form.cleaned_data["due_at"], now=now)
        return collection_url(row)

    lead = _("单独延过期的单位不受影响。")
    title, done = _("改截止时间"), _("已修改。")
    return form_page(request, form, save, title=title, submit=title, back=collection_url(row), done=done, lead=lead)


@never_cache
@require_http_methods(["GET", "POST"])
def freeze(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    """Says with numbers what freezing ends."""
    actor, now = actor_of(request), clock.now()
    row = access_managed(actor=actor, id=collection_id_in(collection_id), now=now)
    form = FreezeForm(posted(request))
    progress = progress_of(reach_of(request, collection_id), now=now)

    def save() -> str:
        freeze_collection(actor=actor, collection_id=row.pk, frozen_with=form.cleaned_data["frozen_with"], now=now)
        return collection_url(row)

    words = {
        "accepted": f"{progress.accepted:,}",
        "submitted": f"{progress.submitted:,}",
        "open": f"{progress.missing + progress.draft + progress.returned:,}",
    }
    lead = (
        _("冻结以后数据写入数据湖，谁也不能再改：已通过 %(accepted)s 个，待审核 %(submitted)s 个，没有报的 %(open)s 个不再收。")
        % words
    )
    title = _("冻结“%(title)s”") % {"title": row.title}
    submit, done = _("冻结并写入数据湖"), _("正在冻结。")
    back = collection_url(row)
    return form_page(request, form, save, title=title, submit=submit, back=back, done=done, lead=lead, is_danger=True)


@never_cache
@require_http_methods(["GET", "POST"])
def cancel(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_managed(actor=actor, id=collection_id_in(collection_id), now=now)
    form = WhyForm(posted(request))
    progress = progress_of(reach_of(request, collection_id), now=now)

    def save() -> str:
        cancel_collection(actor=actor, collection_id=row.pk, reason=form.cleaned_data["reason"], now=now)
        return collection_url(row)

    words = {"total": f"{progress.total:,}", "handed_in": f"{progress.handed_in:,}"}
    lead = _("%(total)s 个单位不再填报；已经提交的 %(handed_in)s 份留在办件里。") % words
    title = _("取消“%(title)s”") % {"title": row.title}
    submit, done = _("取消采集"), _("已取消。")
    back = collection_url(row)
    return form_page(request, form, save, title=title, submit=submit, back=back, done=done, lead=lead, is_danger=True)


@never_cache
@require_http_methods(["GET", "POST"])
def stop_coming_again(request: HttpRequest, collection_id: str) -> HttpResponseBase:
    actor, now = actor_of(request), clock.now()
    row = access_managed(actor=actor, id=collection_id_in(collection_id), now=now)

    def save() -> str:
        stop_repeating(actor=actor, collection_id=row.pk, now=now)
        return collection_url(row)

    lead = _("以后各期不再自动下发；“%(title)s”这一期照常填报。") % {"title": row.title}
    title, done = _("停止自动再下发"), _("已停止自动再下发。")
    form = Form(posted(request))
    return form_page(request, form, save, title=title, submit=title, back=collection_url(row), done=done, lead=lead)


def _target(request: HttpRequest, target_id: str) -> CollectionTarget:
    return access_target(actor=actor_of(request), id=target_id_in(target_id), now=clock.now(), is_manager=True)


@never_cache
@require_http_methods(["GET", "POST"])
def extend_one(request: HttpRequest, target_id: str) -> HttpResponseBase:
    actor, now, target = actor_of(request), clock.now(), _target(request, target_id)
    later = max(target.due_at, now) + timedelta(days=7)
    form = ExtendForm(posted(request), initial={"due_at": due_by_default(timezone.localtime(later))})

    def save() -> str:
        extend_target(actor=actor, target_id=target.pk, now=now, **form.cleaned_data)
        return target_url(target)

    title = _("延长“%(org)s”的期限") % {"org": target.org.name}
    return form_page(request, form, save, title=title, submit=_("延长期限"), back=target_url(target), done=_("已延长。"))


@never_cache
@require_http_methods(["GET", "POST"])
def exempt_one(request: HttpRequest, target_id: str) -> HttpResponseBase:
    actor, now, target = actor_of(request), clock.now(), _target(request, target_id)
    form = WhyForm(posted(request))

    def save() -> str:
        exempt_target(actor=actor, target_id=target.pk, reason=form.cleaned_data["reason"], now=now)
        return target_url(target)

    title = _("“%(org)s”免报") % {"org": target.org.name}
    lead = _("这个单位不再计入应报的单位。")
    return form_page(request, form, save, title=title, submit=_("免报"), back=target_url(target), done=_("已免报。"), lead=lead)


@never_cache
@require_http_methods(["GET", "POST"])
def ask_again(request: HttpRequest, target_id: str) -> HttpResponseBase:
    actor, now, target = actor_of(request), clock.now(), _target(request, target_id)
    form = WhyForm(posted(request))

    def save() -> str:
        ask_target_again(actor=actor, target_id=target.pk, reason=form.cleaned_data["reason"], now=now)
        return target_url(target)

    title = _("要求“%(org)s”重新填报") % {"org": target.org.name}
    lead = _("填报人会带着上次的内容重新开始。")
    submit, done = _("要求重新填报"), _("已通知填报人。")
    return form_page(request, form, save, title=title, submit=submit, back=target_url(target), done=done, lead=lead)
