from django.utils import translation

from shuren.kernel.announced import action_words, actions_said, purpose_words, target_said, target_words


def test_what_nobody_announces_is_shown_as_it_stands() -> None:
    assert (action_words("gone.done"), target_words("thing:4"), purpose_words("campus_card")) == (
        "gone.done",
        "thing:4",
        "campus_card",
    )


def test_targets_tell_kind_and_row() -> None:
    with translation.override("zh-hans"):
        assert (target_words("person:12"), target_words("org:0"), target_words("account:many")) == ("人员 12", "机构", "账号")
    with translation.override("en"):
        assert target_words("person:12") == "Person 12"


def test_targets_are_found_as_they_are_told() -> None:
    assert [target_said(text) for text in ("人员 12", " person 12", "person:12", "别的 3", "")] == [
        *["person:12"] * 3,
        "别的 3",
        "",
    ]


def test_actions_are_found_by_their_words_in_the_readers_language() -> None:
    with translation.override("zh-hans"):
        assert actions_said("登录不成功") == ("identity.sign_in_refused",)
        assert actions_said("登录不成功", area="directory.") == ()
    with translation.override("en"):
        assert actions_said(" signed IN ") == ("identity.signed_in",)
        assert actions_said("登录不成功") == ("identity.sign_in_refused",)
    assert set(actions_said("directory.org_")) <= set(actions_said("directory."))
