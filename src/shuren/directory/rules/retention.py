"""What must be kept of a person and what may be erased when they ask."""

# 中小学生学籍管理办法 (教基一〔2013〕7号): a pupil's record is kept for good; of staff the personnel file is.
KEPT_ALWAYS = frozenset({"number"})
KEPT_OF_RECORDS = frozenset(
    {"name", "family_name", "given_name", "sort_key", "sex", "birth_date", "pupil_number", "staff_number", "grade", "national_id"}
)
ERASABLE = frozenset({"phone", "email", "username"})


def erasable(*, has_record: bool) -> frozenset[str]:
    """The facts to erase: what no duty keeps. `has_record` says that the person is or was a pupil or in service."""
    return ERASABLE if has_record else ERASABLE | KEPT_OF_RECORDS
