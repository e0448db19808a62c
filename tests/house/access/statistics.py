"""Statistics forms: whoever files them for a unit, and those of the units above it."""

from dataclasses import replace

from shuren.interop.models import StatisticsReport, StatisticsTemplate
from shuren.interop.services.statistics.pack_part import install_templates
from shuren.kernel import ids
from shuren.kernel.data import SYSTEM
from tests.cast import Cast
from tests.house.access.frame import MANAGERS, OFFICERS, ROOT, Address, Area, act, call, form, page, roles

FILERS = MANAGERS | roles("head")
YEAR = 2024
KEY = "stat.rooms"
BODY = {
    "key": KEY,
    "number": "T1",
    "title": {"zh": "教室", "en": "Rooms"},
    "authority": {"zh": "教育部", "en": "Ministry of Education"},
    "columns": [{"key": "all", "code": "1", "title": {"zh": "合计", "en": "Total"}}],
    "lines": [{"key": "l01", "code": "01", "title": {"zh": "学生", "en": "Pupils"}, "count": "pupils"}],
}
UNIT = {"org_id": "filing_county", "key": "form", "year": "year"}


ADDRESSES: dict[str, Address] = {
    "interop:statistics": page(FILERS),
    "interop:statistics_report": page(FILERS, ROOT, report_id="statistics_report"),
    "interop:statistics_differences": page(FILERS, ROOT, report_id="statistics_report"),
    "interop:trace_statistics": page(roles(""), report_id="statistics_report"),
    "interop:return_statistics": form(OFFICERS, ROOT, report_id="statistics_report"),
    "interop:correct_statistics": form(FILERS, ROOT, report_id="statistics_report"),
    "interop:freeze_statistics": act(FILERS, ROOT, report_id="statistics_report"),
    "interop:statistics_workbook": page(FILERS, ROOT, report_id="statistics_report"),
    "interop:upload_statistics": form(FILERS, ROOT, report_id="statistics_report"),
    "interop:statistics_progress": page(OFFICERS, ROOT, **UNIT),
    "interop:prepare_statistics": act(OFFICERS, ROOT, **UNIT),
    "interop:prepare_statistics_branch": act(OFFICERS, ROOT, **UNIT),
    "interop:statistics_csv": page(OFFICERS, ROOT, **UNIT),
    "interop:statistics_json": page(OFFICERS, ROOT, **UNIT),
    "api-v1:list_statistics_templates": call(FILERS),
    "api-v1:list_statistics_reports": call(FILERS),
    "api-v1:prepare_statistics_report": replace(
        call(FILERS), methods=("POST",), granted=frozenset({422}), denied=frozenset({422})
    ),
    "api-v1:get_statistics_report": call(FILERS, ROOT, report_id="statistics_report"),
    "api-v1:fill_statistics_report": replace(
        call(FILERS, ROOT, report_id="statistics_report"), methods=("PUT",), granted=frozenset({422}), denied=frozenset({422})
    ),
    "api-v1:submit_statistics_report": replace(
        call(FILERS, ROOT, report_id="statistics_report"), methods=("POST",), granted=frozenset({409})
    ),
}


def places(cast: Cast) -> dict[str, tuple[str, str]]:
    """A submitted form of the near school and one of the far, and the counties above them."""
    install_templates("stat", [BODY], SYSTEM, cast.now)
    template = StatisticsTemplate.objects.get(key=KEY)
    reports = [
        StatisticsReport.objects.create(
            template=template,
            key=KEY,
            org_id=cast.orgs[school].id,
            above_id=cast.orgs[county].id,
            year=YEAR,
            state="submitted",
            is_counted=True,
            held={"l01": {"all": 1}},
            values={"l01": {"all": 1}},
            prepared_at=cast.now,
            submitted_at=cast.now,
        )
        for school, county in (("school", "county"), ("far_school", "far_county"))
    ]
    near, far = (ids.encode("statistics_report", report.pk) for report in reports)
    return {
        "statistics_report": (near, far),
        "filing_county": (cast.orgs["county"].public_id, cast.orgs["far_county"].public_id),
        "form": (KEY, KEY),
        "year": (str(YEAR), str(YEAR)),
    }


AREA = Area(ADDRESSES, places)
