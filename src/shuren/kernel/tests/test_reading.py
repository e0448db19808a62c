from itertools import count

from shuren.kernel.reading import once, reading


def test_an_answer_is_kept_while_a_page_is_read_and_no_longer() -> None:
    asked = count()

    def ask() -> int:
        return once("same", lambda: next(asked))

    assert [ask(), ask()] == [0, 1]
    with reading():
        assert [ask(), ask()] == [2, 2]
        assert once("other", lambda: next(asked)) == 3
    with reading():
        assert ask() == 4
    assert ask() == 5
