import pytest
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session

from shuren.identity.sessions import SessionStore


def test_a_session_is_inserted_with_its_content_and_written_once(db: None) -> None:
    store = SessionStore()
    store.create()
    store["who"] = 7
    assert not Session.objects.exists()
    store.save()
    changed = Session.objects.get(session_key=store.session_key)
    assert SessionStore(store.session_key)["who"] == 7
    store.save()
    assert Session.objects.get().session_data == changed.session_data
    store["who"] = 8
    store.save()
    assert SessionStore(store.session_key)["who"] == 8


def test_a_renewed_key_takes_the_content_along(db: None) -> None:
    store = SessionStore()
    store["who"] = 7
    store.save()
    old = store.session_key
    store.cycle_key()
    store.save()
    assert list(Session.objects.values_list("session_key", flat=True)) == [store.session_key]
    assert store.session_key != old
    assert SessionStore(store.session_key)["who"] == 7


def test_a_session_that_was_ended_meanwhile_does_not_come_back(db: None) -> None:
    store = SessionStore()
    store["who"] = 7
    store.save()
    Session.objects.all().delete()
    store["who"] = 8
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.exists()


def test_flushing_leaves_nothing(db: None) -> None:
    store = SessionStore()
    store["who"] = 7
    store.save()
    store.flush()
    assert not Session.objects.exists()
    assert store.session_key is None
