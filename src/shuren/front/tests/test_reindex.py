from click.testing import CliRunner

from shuren.directory import api as directory
from shuren.directory.data import CountKind
from shuren.front.cli.reindex import command
from shuren.front.tests.conftest import Cast
from shuren.kernel.scope import Scope
from shuren.search import api as search


def test_the_index_and_the_counters_are_made_anew(cast: Cast) -> None:
    search.remove_kind("person")
    root = directory.root_org()
    assert root is not None
    assert CliRunner().invoke(command).exit_code == 0
    assert [hit.title for hit in search.find("zhangsan", scope=Scope(paths=(root.path,)), kinds=("person",)).rows] == ["张三"]
    assert directory.count_of(root.id, CountKind.PEOPLE) > 0
