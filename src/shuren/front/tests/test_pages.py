from typing import Any

import pytest
from django.test import Client
from tests.cast import Cast

from shuren.directory.data import Role
from shuren.identity.api import accounts_of_people
from shuren.kernel import audit, ids
from shuren.kernel.models import AuditEntry
from shuren.messaging import api as messaging
from shuren.work import api as work


def labels(client: Client) -> list[str]:
    return [str(entry.label) for entry in client.get("/").context["navigation"]]


class TestHome:
    @pytest.mark.parametrize(
        ("key", "seen", "unseen"),
        [
            ("city_officer", ["数据导入", "授权", "发放密码", "测评报告"], ["审计"]),
            ("head", ["授权", "任务", "测评报告", "数据导入"], ["发放密码"]),
            ("class_teacher", ["测评报告", "人员", "数据导入"], ["授权", "任务"]),
            ("pupil", ["测评报告"], ["任务", "授权", "数据导入"]),
            ("parent", ["测评报告"], ["机构", "任务"]),
            ("audit_admin", ["审计"], ["人员", "测评报告"]),
        ],
    )
    def test_navigation_follows_the_hats(self, cast: Cast, key: str, seen: list[str], unseen: list[str]) -> None:
        found = labels(cast.client(key))
        assert set(seen) <= set(found)
        assert not set(unseen) & set(found)

    def test_an_officer_sees_the_counts_of_the_branch(self, cast: Cast) -> None:
        page = cast.client("city_officer").get("/")
        counts = {str(item["label"]): item["value"] for item in page.context["counts"]}
        assert counts["学校"] == 3
        assert counts["学生"] == 4
        assert "临江市" in page.context["lead"]

    def test_a_parent_sees_each_child_and_no_other(self, cast: Cast) -> None:
        page = cast.client("parent").get("/")
        assert [child.name for child in page.context["children"]] == ["张三"]
        assert page.context["children"][0].class_name == "四年级1班"
        assert "张小雨" not in page.content.decode()

    def test_a_pupil_sees_themself(self, cast: Cast) -> None:
        assert [child.name for child in cast.client("pupil").get("/").context["children"]] == ["张三"]

    def test_the_trail_links_only_where_one_may_look(self, cast: Cast) -> None:
        trail = cast.client("head").get("/").context["org_trail"]
        assert [bool(step["url"]) for step in trail] == [False, False, False, True]

    def test_choosing_one_hat_narrows_the_page(self, cast: Cast) -> None:
        client = cast.client("class_teacher")
        client.post("/role/", {"role": "teacher"})
        assert "测评报告" not in labels(client)
        client.post("/role/", {"role": ""})
        assert "测评报告" in labels(client)

    @pytest.mark.parametrize("key", ["city_officer", "head", "class_teacher", "pupil", "parent", "audit_admin"])
    def test_what_a_home_costs(self, cast: Cast, key: str, django_assert_max_num_queries: Any) -> None:
        client = cast.client(key)
        client.get("/")
        with django_assert_max_num_queries(24):
            client.get("/")

    def test_menus_cost_no_more_than_session_account_and_bell(self, cast: Cast, django_assert_num_queries: Any) -> None:
        client = cast.client("head")
        client.get("/")
        with django_assert_num_queries(5):
            client.get("/notices/")


class TestSearch:
    @pytest.fixture(autouse=True)
    def indexed(self, cast: Cast) -> None:
        work.enqueue("shuren.directory.jobs.index_all")
        work.run_pending()

    def names(self, client: Client, text: str, kind: str = "person") -> list[str]:
        return [hit.title for hit in client.get("/search/", {"q": text, "kind": kind}).context["hits"].rows]

    def test_people_by_pinyin_inside_the_scope_only(self, cast: Cast) -> None:
        assert self.names(cast.client("head"), "zs") == ["张三"]
        assert self.names(cast.client("province_officer"), "zhangyuan") == ["张远山", "张远父"]
        assert self.names(cast.client("head"), "zhangyuan") == []
        assert self.names(cast.client("parent"), "zhang") == ["张三", "张父"]
        assert self.names(cast.client("vendor"), "zhang") == []

    def test_orgs_by_words(self, cast: Cast) -> None:
        assert self.names(cast.client("province_officer"), "chongqing", "org")[0] == "城北区重庆路小学"
        assert self.names(cast.client("head"), "chongqing", "org") == []

    def test_the_first_kind_with_hits_is_shown(self, cast: Cast) -> None:
        page = cast.client("province_officer").get("/search/?q=zhangsan")
        assert [kind["value"] for kind in page.context["kinds"] if kind["is_current"]] == ["person"]
        assert "<mark>张三</mark>" in page.content.decode()

    def test_suggestions_are_a_part_of_a_page(self, cast: Cast) -> None:
        part = cast.client("city_officer").get("/search/suggest/?q=zhangsan")
        assert "<html" not in part.content.decode()
        assert [hit.title for hit in part.context["hits"]] == ["张三"]
        assert "东湖区实验小学" in part.content.decode()
        assert cast.client("city_officer").get("/search/suggest/").content.strip() == b""

    @pytest.mark.parametrize("question", ["", "q=", "q=%00", "q=张&kind=nothing&page=-1", "q=张&page=999999999999", "q='%22%5C"])
    def test_no_question_breaks_it(self, cast: Cast, question: str) -> None:
        assert cast.client("city_officer").get(f"/search/?{question}").status_code == 200

    def test_what_a_search_costs(self, cast: Cast, django_assert_max_num_queries: Any) -> None:
        client = cast.client("city_officer")
        client.get("/search/?q=zhang")
        with django_assert_max_num_queries(25):
            client.get("/search/?q=zhang")


class TestNotices:
    def test_opening_one_reads_it_and_leads_on(self, cast: Cast) -> None:
        client = cast.client("head")
        messaging.notify(person_ids=[cast.people["head"].id], title="名册已写入", url="/people/", now=cast.now)
        page = client.get("/notices/")
        assert page.context["unread_count"] == 1
        notice = page.context["notices"].rows[0]
        assert client.get(notice.url).headers["Location"] == "/people/"
        assert client.get("/notices/").context["unread_count"] == 0

    def test_reading_all(self, cast: Cast) -> None:
        client = cast.client("head")
        for title in ("一", "二"):
            messaging.notify(person_ids=[cast.people["head"].id], title=title, now=cast.now)
        first = client.get("/notices/").context["notices"].rows[0]
        client.post("/notices/read/", {"id": first.id})
        assert client.get("/notices/").context["unread_count"] == 1
        client.post("/notices/read/")
        assert client.get("/notices/").context["unread_count"] == 0
        assert client.get("/notices/?page=x").status_code == 200


class TestJobs:
    def test_own_jobs_with_progress_and_a_way_to_stop(self, cast: Cast) -> None:
        job_id = work.enqueue("shuren.directory.jobs.recount", actor=cast.actor("head"), title="重新统计")
        client, address = cast.client("head"), f"/jobs/{ids.encode('job', job_id)}/"
        assert "重新统计" in client.get("/jobs/").content.decode()
        assert "重新统计" not in cast.client("class_teacher").get("/jobs/").content.decode()
        assert "重新统计" in cast.client("system_admin").get("/jobs/").content.decode()
        assert client.get(address).context["cancel_url"] == f"{address}cancel/"
        assert "HX-Refresh" not in client.get(f"{address}progress/").headers
        client.post(f"{address}cancel/")
        assert client.get(f"{address}progress/").headers["HX-Refresh"] == "true"
        assert client.post(f"{address}cancel/").status_code == 409

    def test_a_failed_job_says_why(self, cast: Cast) -> None:
        job_id = work.enqueue("shuren.front.jobs.tell_import", {}, actor=cast.actor("head"), title="坏任务", max_attempts=1)
        work.run_pending()
        page = cast.client("head").get(f"/jobs/{ids.encode('job', job_id)}/")
        assert page.context["failure"]

    def test_what_a_list_costs(self, cast: Cast, django_assert_max_num_queries: Any) -> None:
        for _turn in range(30):
            work.enqueue("shuren.directory.jobs.recount", actor=cast.actor("head"))
        client = cast.client("head")
        client.get("/jobs/")
        with django_assert_max_num_queries(14):
            client.get("/jobs/")


def _lines(export: Any) -> list[str]:
    return b"".join(export.streaming_content).decode("utf-8-sig").splitlines()


class TestAudit:
    def test_filters(self, cast: Cast) -> None:
        client = cast.client("audit_admin")
        cast.client("head")
        page = client.get("/audit/?area=identity.&q=陈立新")
        assert {row.cells[3].text for row in page.context["list"].rows} == {"登录"}
        assert client.get("/audit/?since=2999-01-01").context["list"].rows == ()
        assert client.get("/audit/?until=2999-01-01&since=x").context["list"].rows

    def test_actions_are_found_and_exported_by_their_words(self, cast: Cast) -> None:
        client = cast.client("audit_admin")
        found = client.get("/audit/?action=新增").context["list"].rows
        assert {row.cells[3].text for row in found} == {"新增机构", "新增人员"}
        narrowed = client.get("/audit/?action=登录&area=directory.").context["list"].rows
        assert narrowed == ()
        client.post("/language/", {"language": "en"})
        found = client.get("/audit/?action=added+an+org&columns=action&columns=action_code&columns=target").context["list"].rows
        assert {(row.cells[0].text, row.cells[2].text) for row in found} == {("Added an organisation", "directory.org_added")}
        assert all(row.cells[1].text.startswith("Organisation ") for row in found)
        one = found[0].cells[1].text
        about = client.get("/audit/", {"target": one, "columns": "target"}).context["list"].rows
        assert {row.cells[0].text for row in about} == {one}
        by_code = client.get("/audit/?action=directory.org_ad").context["list"].rows
        assert len(by_code) == len(found)
        export = client.get("/audit/?export=csv&action=signed+in")
        assert {line.split(",")[3] for line in _lines(export)[1:]} == {"Signed in"}

    def test_an_export_is_itself_recorded(self, cast: Cast) -> None:
        export = cast.client("audit_admin").get("/audit/?export=csv&area=directory.")
        text = b"".join(export.streaming_content).decode()  # type: ignore[attr-defined]
        assert "新增机构" in text
        assert "登录" not in text
        entry = AuditEntry.objects.get(action="front.audit_exported")
        assert entry.details["area"] == "directory."
        assert entry.actor_name == "沈明察"

    def test_what_a_list_costs(self, cast: Cast, django_assert_max_num_queries: Any) -> None:
        client = cast.client("audit_admin")
        client.get("/audit/")
        with django_assert_max_num_queries(16):
            client.get("/audit/?size=100")


class TestLanguage:
    def test_the_choice_lasts(self, cast: Cast) -> None:
        client = cast.client("head")
        assert client.post("/language/", {"language": "en", "next": "/notices/"}).headers["Location"] == "/notices/"
        assert "Notices" in client.get("/notices/").content.decode()
        assert accounts_of_people([cast.people["head"].id])[cast.people["head"].id].language == "en"
        assert "Notices" in cast.client("head").get("/notices/").content.decode()

    @pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example"])
    def test_nonsense_changes_nothing_and_leads_home(self, db: None, wanted: str) -> None:
        answer = Client().post("/language/", {"language": "xx", "next": wanted})
        assert answer.headers["Location"] == "/"
        assert "shuren_language" not in answer.cookies


def test_sessions_that_ran_out_are_swept_by_a_job(cast: Cast) -> None:
    job_id = work.enqueue("shuren.front.jobs.sweep_sign_ins")
    work.run_pending()
    assert work.job_state(job_id).result == {"ended": 0}


def test_the_cast_wears_every_hat(cast: Cast) -> None:
    assert {role.value for role in Role} <= set(cast.people)
    assert audit.entries(action="directory.").exists()


@pytest.mark.django_db
def test_a_wrong_host_is_refused_and_is_no_fault_of_ours(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["data.example.org"]
    for path in ("/", "/api/v1/"):
        assert client.get(path, headers={"host": "elsewhere.example.org"}).status_code == 400
    assert client.get("/sign-in/", headers={"host": "data.example.org"}).status_code == 200
