"""Boundaries of the orgs below: what a GeoJSON file may hold, and what the page does with it."""

import json
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st

from shuren.directory.models import Org
from shuren.directory.rules.boundaries import MAX_CORNERS, read_boundaries
from shuren.directory.selectors.boundaries import check_boundaries
from shuren.directory.services.set_boundaries import set_boundaries
from shuren.directory.tests.conftest import NOW, Region, Visitor
from shuren.kernel.data import SYSTEM
from shuren.kernel.errors import Invalid, NotFound
from shuren.kernel.models import AuditEntry

Visit = Callable[[str], Visitor]

SQUARE = [[[104.0, 30.0], [104.1, 30.0], [104.1, 30.1], [104.0, 30.0]]]


def feature(name: str, geometry: object = None, **properties: object) -> dict[str, object]:
    shape = geometry or {"type": "Polygon", "coordinates": SQUARE}
    return {"type": "Feature", "properties": {"name": name, **properties}, "geometry": shape}


def collection(*features: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def polygon(*corners: object) -> dict[str, object]:
    return {"type": "Polygon", "coordinates": [list(corners)]}


@pytest.mark.parametrize(
    ("geometry", "reason"),
    [
        ({"type": "Point", "coordinates": [104, 30]}, "这个要素不是面。"),
        ({"type": "Polygon", "coordinates": []}, "这个要素没有坐标。"),
        ({"type": "MultiPolygon", "coordinates": [[]]}, "这个要素没有坐标。"),
        (polygon([104, 30], [105, 30], [105, 31], [104, 31]), "有一圈边界没有闭合。"),
        (polygon([104, 30], [104, 30]), "有一圈边界没有闭合。"),
        (polygon([104, "30"], [105, 30], [105, 31], [104, "30"]), "有一个坐标不是数。"),
        (polygon([402_000, 3_300_000], [1, 1], [2, 2], [402_000, 3_300_000]), "坐标不是经纬度。"),
        (polygon([10**400, 30], [1, 1], [2, 2], [10**400, 30]), "有一个坐标不是数。"),
        (polygon([float("nan"), 30], [1, 1], [2, 2], [float("nan"), 30]), "有一个坐标不是数。"),
    ],
)
def test_every_fault_is_told_by_its_feature(geometry: object, reason: str) -> None:
    _found, faults = read_boundaries(collection(feature("甲"), feature("乙", geometry)))
    assert [(fault.number, fault.value, fault.reason) for fault in faults] == [(2, "乙", reason)]
    assert faults[0].remedy


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"[]", b'{"type": "FeatureCollection", "features": []}', b"[" * 100_000])
def test_what_is_no_geojson_is_told(content: bytes) -> None:
    found, faults = read_boundaries(content)
    assert found == []
    assert [fault.number for fault in faults] == [0]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=4)))
def test_no_shape_of_coordinates_breaks_the_reader(coordinates: object) -> None:
    for kind in ("Polygon", "MultiPolygon"):
        found, faults = read_boundaries(collection({"properties": None, "geometry": {"type": kind, "coordinates": coordinates}}))
        assert len(found) + len(faults) == 1


def test_boundaries_are_rounded_and_their_size_is_bounded() -> None:
    corner = [104.123456789, 30.0, 512.0]
    found, faults = read_boundaries(collection(feature("甲", polygon(corner, corner, [105, 30], [105, 31], corner))))
    assert faults == []
    assert found[0].geometry["coordinates"] == [[[104.12346, 30.0], [105.0, 30.0], [105.0, 31.0], [104.12346, 30.0]]]
    wide = [[index % 360 - 180 + 0.5, 30] for index in range(MAX_CORNERS)]
    _found, faults = read_boundaries(collection(feature("甲", polygon([0, 0], *wide, [0, 0]))))
    assert [fault.number for fault in faults] == [0]


def test_features_find_their_orgs_by_code_or_name(region: Region) -> None:
    city = region.org_ids["city"]
    Org.objects.filter(pk=region.org_ids["east"]).update(division_code="510104000000")
    good = check_boundaries(city, collection(feature("别名", adcode=510104)))
    assert good.faults == []
    assert list(good.boundaries) == [region.org_ids["east"]]
    assert [org.name for org in good.missing] == ["西原区教育局"]
    assert list(check_boundaries(city, collection(feature("西原区"))).boundaries) == [region.org_ids["west"]]
    bad = check_boundaries(city, collection(feature("东川区"), feature("东川区教育局"), feature("天外")))
    assert [(fault.number, bool(fault.remedy)) for fault in bad.faults] == [(2, True), (3, True)]
    assert bad.boundaries == {}


def test_a_name_that_two_orgs_share_is_not_guessed(region: Region) -> None:
    Org.objects.filter(pk__in=[region.org_ids["east"], region.org_ids["west"]]).update(short_name="新区")
    checked = check_boundaries(region.org_ids["city"], collection(feature("新区")))
    assert [fault.reason for fault in checked.faults] == ["有 2 个下级机构都对得上。"]


def test_only_orgs_directly_below_get_boundaries(region: Region) -> None:
    with pytest.raises(Invalid):
        set_boundaries(actor=SYSTEM, org_id=region.org_ids["city"], boundaries={region.org_ids["school"]: None}, now=NOW)


def test_an_officer_uploads_downloads_and_clears(region: Region, visit: Visit) -> None:
    browser, page = visit("city_officer"), region.url("city", "boundaries/")

    def send(*features: object) -> HttpResponse:
        return browser.post(page, {"file": SimpleUploadedFile("b.geojson", collection(*features))})

    refused = send(feature("东川区"), feature("天外"))
    assert refused.status_code == 400
    assert "没有对应的下级机构" in refused.content.decode()
    assert not Org.objects.filter(geometry__isnull=False).exists()
    saved = send(feature("东川区"))
    assert saved.status_code == 302
    assert saved.notes == ["已保存 1 个机构的边界。", "还没有边界：西原区教育局。全部齐了，报告里才画地图。"]
    assert "<svg" in browser.get(page).content.decode()
    sent = json.loads(browser.get(region.url("city", "boundaries.geojson")).content)
    assert [one["properties"]["name"] for one in sent["features"]] == ["东川区教育局"]
    assert sent["features"][0]["geometry"] == {"type": "Polygon", "coordinates": SQUARE}
    assert "boundaries/" in browser.get(region.url("city")).content.decode()
    assert AuditEntry.objects.filter(action="directory.boundaries_set").count() == 1
    assert send(feature("东川区")).status_code == 302
    assert AuditEntry.objects.filter(action="directory.boundaries_set").count() == 1
    assert browser.post(region.url("city", "boundaries/clear/")).status_code == 302
    assert not Org.objects.filter(geometry__isnull=False).exists()
    assert json.loads(browser.get(region.url("city", "boundaries.geojson")).content)["features"] == []


@pytest.mark.parametrize("key", ["head", "pupil", "county_officer"])
def test_nobody_else_opens_the_page(region: Region, visit: Visit, key: str) -> None:
    for page in ("boundaries/", "boundaries.geojson"):
        with pytest.raises(NotFound):
            visit(key).get(region.url("city", page))
    with pytest.raises(NotFound):
        visit(key).post(region.url("city", "boundaries/clear/"))
