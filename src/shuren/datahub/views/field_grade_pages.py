"""Classes and grades of every field, and which masking, access, trace and encryption they drive."""

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from shuren.datahub.data import AssetKind
from shuren.datahub.models import CatalogueColumn
from shuren.datahub.rules.field_grades import GradeOrigin
from shuren.datahub.selectors.assets import access_catalogue
from shuren.datahub.selectors.field_grades import FieldGrade, field_grades, fields_graded, gaps_counted
from shuren.datahub.views.asset_words import GRADES, KINDS, grade_word, kind_word
from shuren.datahub.views.catalogue_pages import asset_url
from shuren.datahub.views.life_cycle.words import ACCESS, ORIGINS, SUBJECTS, TRACES
from shuren.datahub.views.words import MASKS
from shuren.identity.api import actor_of
from shuren.kernel import clock
from shuren.kernel.paging import Page, page_of, stream_of
from shuren.pages.api import render_list
from shuren.pages.data import CellKind, Choice, Column, EmptyState, Filter, ListQuery, ListSpec, Status
from shuren.standards.data import MaskStyle

_TONES = {GradeOrigin.OWN: "good", GradeOrigin.ASSET: "plain", GradeOrigin.NONE: "bad"}


@never_cache
@require_safe
def field_grades_page(request: HttpRequest) -> HttpResponseBase:
    """Every field of the catalogue; what nobody graded is shown as a gap."""
    access_catalogue(actor=actor_of(request), now=clock.now())

    def rows(query: ListQuery) -> Page[FieldGrade]:
        page = page_of(_asked(query), lambda row: row, number=query.number, size=query.size)
        graded = field_grades(page.rows)
        return Page(rows=graded, number=page.number, size=page.size, total=page.total, is_exact=page.is_exact)

    counted = gaps_counted()
    told = {name.value: f"{counted[name]:,}" for name in GradeOrigin}
    spec: ListSpec[FieldGrade] = ListSpec(
        name="field_grades",
        title=_("数据分级分类"),
        columns=(
            Column(
                key="asset",
                title=_("数据资源"),
                value=lambda row: row.column.asset.title,
                url=lambda row: asset_url(row.column.asset_id),
            ),
            Column(
                key="kind",
                title=kind_word(),
                value=lambda row: str(KINDS[AssetKind(row.column.asset.kind)]),
                is_shown=False,
            ),
            Column(key="field", title=_("字段"), value=lambda row: row.column.name),
            Column(key="title", title=_("名称"), value=lambda row: row.column.title),
            Column(key="subject", title=_("分类"), value=lambda row: str(SUBJECTS.get(row.subject, row.subject)) or None),
            Column(key="grade", title=grade_word(), value=lambda row: str(GRADES.get(row.grade, "")) or None),
            Column(key="origin", title=_("定级"), value=_origin, kind=CellKind.STATUS),
            Column(key="mask", title=_("无权时看到"), value=_mask),
            Column(key="access", title=_("谁能看"), value=lambda row: str(ACCESS[row.duties.access])),
            Column(key="sealed", title=_("存放"), value=lambda row: _("加密") if row.is_sealed else _("明文")),
            Column(key="trace", title=_("留痕"), value=lambda row: str(TRACES[row.duties.trace])),
            Column(key="element", title=_("数据元"), value=lambda row: row.column.element, is_shown=False),
        ),
        rows=rows,
        stream=lambda query: stream_of(_asked(query), field_grades),
        filters=(
            Filter(
                key="kind",
                label=kind_word(),
                choices=tuple(Choice(value=k.value, label=str(v)) for k, v in KINDS.items()),
            ),
            Filter(
                key="grade",
                label=grade_word(),
                choices=tuple(Choice(value=k, label=str(v)) for k, v in GRADES.items()),
            ),
            Filter(key="origin", label=_("定级"), choices=tuple(Choice(value=k.value, label=str(v)) for k, v in ORIGINS.items())),
        ),
        search_label=_("资源、字段或数据元"),
        empty=EmptyState(title=_("没有找到字段"), text=_("换一个词，或去掉筛选条件再找。"), icon="columns"),
        note=_("字段自己定级 %(own)s 个，随整项资源 %(asset)s 个，未定级 %(none)s 个。未定级的按最严的级别对待。") % told,
    )
    return render_list(request, spec)


def _asked(query: ListQuery) -> QuerySet[CatalogueColumn]:
    told = query.filters
    return fields_graded(
        kind=told.get("kind", ""),
        grade=told.get("grade", ""),
        origin=told.get("origin", ""),
        search=query.search.replace("\x00", ""),
    )


def _origin(row: FieldGrade) -> Status:
    return Status(text=str(ORIGINS[row.origin]), tone=_TONES[row.origin])


def _mask(row: FieldGrade) -> str:
    return str(MASKS[MaskStyle(row.duties.mask)])
