from pathlib import Path

import pytest
from django.utils import translation

from shuren.front.tests.conftest import Cast
from shuren.intake import api as intake


@pytest.mark.parametrize(("language", "shown"), [("en", "Check Roster: 三月 名册.zip"), ("zh-hans", "检查名册：三月 名册.zip")])
def test_jobs_are_named_in_the_readers_language(cast: Cast, tmp_path: Path, language: str, shown: str) -> None:
    file = tmp_path / "r.zip"
    file.write_bytes(b"PK")
    with translation.override("zh-hans"):
        intake.start_import(actor=cast.actor("head"), kind="roster", file_name="三月 名册.zip", content=file, now=cast.now)
    page = cast.client("head").get("/jobs/", headers={"accept-language": language})
    assert shown in page.content.decode()
