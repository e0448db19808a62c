"""Which state of an import may follow which."""

from shuren.intake.data import ImportStatus as S

_NEXT: dict[S, frozenset[S]] = {
    S.UPLOADED: frozenset({S.CHECKING, S.FAILED}),
    S.CHECKING: frozenset({S.CHECKING, S.REJECTED, S.READY, S.FAILED}),
    S.REJECTED: frozenset({S.CHECKING}),
    S.READY: frozenset({S.CHECKING, S.APPLYING, S.FAILED}),
    S.APPLYING: frozenset({S.APPLYING, S.APPLIED, S.FAILED}),
    S.APPLIED: frozenset({S.UNDONE}),
    S.FAILED: frozenset({S.CHECKING}),
    S.UNDONE: frozenset({S.CHECKING}),
}


def may_become(current: S, following: S) -> bool:
    """`checking` and `applying` may follow themselves: a killed job starts again."""
    return following in _NEXT[current]
