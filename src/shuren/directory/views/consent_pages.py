"""Pages of notices and answers: what a family decides, what a school asks and how many have answered."""

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.data import ConsentDecision, ConsentState, ConsentTextData, NewConsentText, Permission
from shuren.directory.forms import ConsentTextForm
from shuren.directory.selectors.consents import Asked, Asking, access_consent_text, askings_of, consent_texts_in_scope, text_data
from shuren.directory.selectors.coverage import CoverageRow, page_of_coverage, stream_coverage
from shuren.directory.selectors.org_list import org_page
from shuren.directory.selectors.scope import scope_of
from shuren.directory.services.consents.decide import decide_consent
from shuren.directory.services.consents.publish import end_consent_text, publish_consent_text
from shuren.directory.views.asked import actor_in, consent_text_id_in, now, org_id_in, person_id_in, posted
from shuren.directory.views.form_pages import form_page
from shuren.directory.views.words import CONSENT_STATES
from shuren.kernel import ids
from shuren.kernel.announced import purpose_words
from shuren.kernel.audit import record
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.paging import page_of
from shuren.kernel.scope import Scope
from shuren.pages.api import render_list
from shuren.pages.data import Action, CellKind, Column, EmptyState, ListQuery, ListSpec, Status
from shuren.standards.api import elements, meaning_of


def consents(request: HttpRequest) -> HttpResponseBase:
    """What is asked of the reader and of their children: agree, refuse, take back."""
    askings = [_shown(asking) for asking in askings_of(actor=actor_in(request), now=now())]
    return render(
        request,
        "directory/consents.html",
        {"title": _("个人信息同意"), "askings": [found for found in askings if found["lines"]]},
    )


def _shown(asking: Asking) -> dict[str, object]:
    return {"person": asking.person, "is_self": asking.is_self, "lines": [_line(asked) for asked in asking.asked]}


def _line(asked: Asked) -> dict[str, object]:
    language = get_language() or ""
    word, tone = CONSENT_STATES[asked.state]
    text = asked.text
    return {
        "text": text,
        "title": text.title(language),
        "body": text.body(language),
        "elements": "、".join(meaning_of(code).name(language) for code in text.elements),
        "state": Status(text=str(word), tone=tone),
        "may_answer": asked.answer_as is not None,
        "is_given": asked.answer is ConsentDecision.GIVEN and asked.state is not ConsentState.OUTDATED,
        "has_refused": asked.answer in (ConsentDecision.REFUSED, ConsentDecision.WITHDRAWN),
        "answered_at": asked.answered_at,
        "signed_on": asked.signed_on,
    }


@require_POST
def decide(request: HttpRequest, public_id: str, text_id: str) -> HttpResponseBase:
    try:
        decision = ConsentDecision(request.POST.get("decision", ""))
    except ValueError:
        raise Invalid(_("请选择同意、拒绝或撤回。")) from None
    state = decide_consent(
        actor=actor_in(request),
        person_id=person_id_in(public_id),
        text_id=consent_text_id_in(text_id),
        decision=decision,
        now=now(),
    )
    told = {
        ConsentDecision.GIVEN: _("已记下您的同意。随时可以撤回。"),
        ConsentDecision.REFUSED: _("已记下您的拒绝。学校的基本服务不受影响。"),
        ConsentDecision.WITHDRAWN: _("已撤回同意。应用马上就得不到这些信息了。"),
    }
    messages.success(request, told[decision])
    if state is ConsentState.WAITING:
        messages.info(request, _("这一项还要本人和监护人都同意才生效。"))
    return redirect("directory:consents")


def consent_texts(request: HttpRequest) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    rows = consent_texts_in_scope(actor=actor, now=moment)
    spec = ListSpec(
        name="consent_texts",
        title=_("告知书"),
        columns=(
            Column(
                key="title", title=_("标题"), value=lambda row: row[0].title(get_language() or ""), url=lambda row: _url(row[0])
            ),
            Column(key="version", title=_("版本"), value=lambda row: row[0].version, kind=CellKind.NUMBER),
            Column(key="org", title=_("机构"), value=lambda row: row[1]),
            Column(key="recipient", title=_("给谁用"), value=lambda row: row[0].recipient_name or _("本平台")),
            Column(key="purpose", title=_("用途"), value=lambda row: purpose_words(row[0].purpose)),
            Column(key="begin", title=_("开始"), value=lambda row: row[0].begin_at, kind=CellKind.DATETIME),
            Column(key="end", title=_("结束"), value=lambda row: row[0].end_at, kind=CellKind.DATETIME),
        ),
        rows=lambda query: page_of(rows, lambda row: (text_data(row), row.org.name), number=query.number, size=query.size),
        empty=EmptyState(title=_("还没有告知书"), text=_("在机构页面用“发布告知书”可以发布。"), icon="file-text"),
    )
    return render_list(request, spec, context={"lead": _("用到个人信息之前，先说清楚用什么、给谁、做什么，再请家长或本人决定。")})


def _url(text: ConsentTextData) -> str:
    return reverse("directory:consent_text", args=[text.public_id])


def consent_text(request: HttpRequest, text_id: str) -> HttpResponseBase:
    """One version, and who has answered, school by school."""
    actor, moment = actor_in(request), now()
    text = access_consent_text(actor=actor, id=consent_text_id_in(text_id), now=moment)
    language = get_language() or ""

    def note_export(query: ListQuery, form: str) -> None:
        record(
            actor=actor,
            action="directory.consent_coverage_exported",
            target=f"consent_text:{text.id}",
            details={"form": form, "purpose": "coverage"},
            now=moment,
        )

    spec = ListSpec(
        name="consent_coverage",
        title=text.title(language),
        columns=(
            Column(key="school", title=_("学校"), value=lambda row: row.org_name),
            *(
                Column(key=key, title=title, value=_counted(key), kind=CellKind.NUMBER)
                for key, title in (
                    ("pupils", _("学生")),
                    ("given", _("已同意")),
                    ("refused", _("已拒绝")),
                    ("withdrawn", _("已撤回")),
                    ("waiting", _("还没有答复")),
                )
            ),
        ),
        rows=lambda query: page_of_coverage(text, day=moment.date(), number=query.number, size=query.size),
        stream=lambda query: stream_coverage(text, day=moment.date()),
        on_export=note_export,
        actions=_actions(text, scope_of(actor=actor, permission=Permission.EXPORT_ROSTER, now=moment)),
        empty=EmptyState(title=_("这里没有学校"), icon="building"),
    )
    lead = _("%(recipient)s · %(elements)s · 第 %(version)s 版") % {
        "recipient": text.recipient_name or _("本平台"),
        "elements": "、".join(meaning_of(code).name(language) for code in text.elements),
        "version": text.version,
    }
    return render_list(request, spec, context={"lead": lead})


def _actions(text: ConsentTextData, exporting: Scope) -> tuple[Action, ...]:
    if text.end_at is not None:
        return ()
    end = Action(
        label=_("停止使用"),
        url=reverse("directory:end_consent_text", args=[text.public_id]),
        is_post=True,
        is_danger=True,
        confirm=_("停止后，应用马上得不到这些信息，已有的同意不再有效。要停止吗？"),
    )
    if not text.recipient or not exporting.covers(text.org_path):
        return (end,)
    file = reverse("directory:roster_file", args=[ids.encode("org", text.org_id), "xlsx"])
    roster = Action(label=_("导出给应用的名册"), url=f"{file}?notice={text.public_id}", icon="file-spreadsheet")
    return roster, end


def _counted(key: str):  # type: ignore[no-untyped-def]  # one of five counts of a row
    def count(row: CoverageRow) -> int:
        return int(getattr(row, key))

    return count


@require_POST
def end_text(request: HttpRequest, text_id: str) -> HttpResponseBase:
    end_consent_text(actor=actor_in(request), text_id=consent_text_id_in(text_id), now=now())
    messages.success(request, _("已停止使用这份告知书。"))
    return redirect("directory:consent_texts")


def add_consent_text(request: HttpRequest, public_id: str) -> HttpResponseBase:
    actor, moment = actor_in(request), now()
    asked = (Permission.ANSWER_SUBJECTS,)
    facts, scopes = org_page(actor=actor, id=org_id_in(public_id), permissions=asked, now=moment)
    if not scopes[Permission.ANSWER_SUBJECTS].covers(facts.org.path):
        raise NotFound(_("没有找到这个机构。"))
    language = get_language() or ""
    offered = [(found.code, found.name(language)) for found in elements() if found.code.startswith("person.")]
    form = ConsentTextForm(posted(request), elements=offered)

    def save() -> str:
        said = form.cleaned_data
        text = NewConsentText(
            org_id=facts.org.id,
            purpose=said["purpose"],
            elements=tuple(said["elements"]),
            title_zh=said["title_zh"],
            body_zh=said["body_zh"],
            title_en=said["title_en"],
            body_en=said["body_en"],
        )
        publish_consent_text(actor=actor, text=text, now=moment, is_correction=said["is_correction"])
        messages.success(request, _("已发布。家长和学生会在“个人信息同意”里看到。"))
        return reverse("directory:consent_texts")

    return form_page(
        request,
        form,
        save,
        title=_("在“%(name)s”发布告知书") % {"name": facts.org.name},
        submit=_("发布"),
        back=reverse("directory:org", args=[public_id]),
        lead=_("应用的告知书在选用应用时自动发布；这里发布学校自己要用的。"),
        chain=facts.chain,
    )
