"""Sessions in the database, each written once per request: a sign-in renews the key, fills the session and is answered."""

from typing import Any

from django.contrib.sessions.backends.base import VALID_KEY_CHARS, CreateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db import IntegrityError, transaction
from django.utils.crypto import get_random_string

_KEY_LENGTH = 32


class SessionStore(DatabaseStore):
    """Inserts a new session with its first content, and writes nothing that this request has written already."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._is_new = False
        self._written: str | None = None

    def create(self) -> None:
        # 165 random bits: that another session has the key is no case to ask the database about; the insert would fail.
        self._session_key = get_random_string(_KEY_LENGTH, VALID_KEY_CHARS)
        self._is_new = True
        self._written = None
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
        content = self._content()
        if content == self._written and not must_create:
            return
        if must_create or self._is_new:
            self._insert()
        else:
            super().save()
        self._is_new = False
        self._written = content

    def _insert(self) -> None:
        # Without the savepoint of the super class: an insert that fails ends the whole sign-in.
        row = self.create_model_instance(self._get_session(no_load=True))  # type: ignore[attr-defined]  # untyped in the stubs
        try:
            with transaction.atomic(savepoint=False):
                row.save(force_insert=True)
        except IntegrityError as error:
            raise CreateError from error

    def _content(self) -> str:
        kept: dict[str, Any] = self._get_session(no_load=self._is_new)  # type: ignore[attr-defined]  # untyped in the stubs
        return f"{self.session_key}{self.get_expiry_date():%j%H}{sorted(kept.items(), key=str)}"
