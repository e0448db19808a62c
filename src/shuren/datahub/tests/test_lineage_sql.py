"""Columns traced through SQL: as sqlglot's own walk finds them, and as a reader of the text would say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp
from sqlglot.lineage import lineage

from shuren.datahub.rules.lineage import Derived, UnreadSql, columns_of_question, tables_of_question

TABLES = {"scores": ("person_id", "school_id", "eap", "pv1"), "items": ("item", "slope")}
QUESTIONS = {
    "SELECT school_id, avg(pv1) AS mean, count(*) AS n FROM scores GROUP BY 1": {
        ("school_id", "scores", "school_id"),
        ("mean", "scores", "pv1"),
    },
    "WITH a AS (SELECT *, eap * 2 AS d FROM scores WHERE pv1 > 0), b AS (SELECT school_id AS s, max(d) AS x FROM a GROUP BY 1) "
    "SELECT s, x, (SELECT max(slope) FROM items WHERE item = 'r1') AS k FROM b": {
        ("s", "scores", "school_id"),
        ("x", "scores", "eap"),
        ("k", "items", "slope"),
    },
    "SELECT e.eap AS v FROM scores e UNION ALL SELECT slope FROM items": {("v", "scores", "eap"), ("v", "items", "slope")},
    "SELECT u.v FROM scores e, unnest([e.eap, e.pv1]) AS u(v)": {("v", "scores", "eap"), ("v", "scores", "pv1")},
    "WITH RECURSIVE r AS (SELECT person_id AS p FROM scores UNION ALL SELECT p + 1 FROM r WHERE p < 5) SELECT p FROM r": {
        ("p", "scores", "person_id")
    },
    "SELECT (SELECT avg(s.eap) FROM scores s WHERE s.school_id = e.school_id) AS m FROM scores e": {("m", "scores", "eap")},
    'SELECT "Eap" FROM scores': {("eap", "scores", "eap")},
    "SELECT a FROM (VALUES (1)) v(a)": set(),
    "SELECT eap FROM scores JOIN items ON pv1 = slope": {("eap", "scores", "eap")},
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_columns_lead_to_what_they_are_computed_from(question: str) -> None:
    found = columns_of_question(question, TABLES)
    assert {(each.column, each.table, each.source_column) for each in found} == QUESTIONS[question]


COLUMN = st.sampled_from(["person_id", "school_id", "eap", "pv1"])
EXPRESSION = st.recursive(
    COLUMN,
    lambda inner: st.one_of(
        st.builds("({} + {})".format, inner, inner),
        st.builds("coalesce({}, {})".format, inner, inner),
        st.builds("CASE WHEN {} > 0 THEN {} END".format, inner, inner),
    ),
    max_leaves=4,
)


@given(st.lists(EXPRESSION, min_size=1, max_size=4), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_the_walk_finds_what_the_ready_made_one_finds(expressions: list[str], depth: int) -> None:
    inner = ", ".join(f"{expression} AS c{at}" for at, expression in enumerate(expressions))
    sql = f"SELECT {inner} FROM scores"
    for _level in range(depth):
        names = [f"c{at} + 0 AS c{at}" for at in range(len(expressions))]
        sql = f"SELECT {', '.join(names)} FROM ({sql}) AS t"
    schema = {name: dict.fromkeys(columns, "TEXT") for name, columns in TABLES.items()}
    peer = {
        Derived(f"c{at}", node.expression.name, node.name.rpartition(".")[2])
        for at in range(len(expressions))
        for node in lineage(f"c{at}", sql, schema=schema, dialect="duckdb").walk()
        if isinstance(node.expression, exp.Table)
    }
    assert set(columns_of_question(sql, TABLES)) == peer


def test_five_thousand_columns_are_traced_at_once() -> None:
    wide = {"wide": tuple(f"c{at}" for at in range(5_000))}
    assert len(columns_of_question("SELECT * FROM wide", wide)) == 5_000


@pytest.mark.parametrize("text", ["", "SELECT FROM", "DROP TABLE scores; SELECT 1", "(((", "SELECT '", "\x00"])
def test_what_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(UnreadSql):
        columns_of_question(text, TABLES)


def test_tables_of_a_text_leave_out_its_own() -> None:
    assert tables_of_question("WITH a AS (SELECT * FROM scores) SELECT * FROM a JOIN items ON true") == {"scores", "items"}
