"""Every module of services that writes also audits, or stands here with the reason why not."""

import ast
import re

from tests.house.source import Source, product

WRITES = {"create", "bulk_create", "update", "bulk_update", "delete", "save", "get_or_create", "update_or_create"}
# What writes without an entry, each for its reason. A module that is not here and does not audit fails the test.
EXEMPT: dict[str, str] = {
    "casework/services/cases/end.py": "closes visits of stages for moves that audit themselves",
    "casework/services/registers/keep.py": "a step of services that audit: every change of an entry goes through it",
    "casework/services/registers/stage.py": "puts down unseen and shows what an import, which audits itself, brought",
    "casework/services/tally_cases.py": "counters that can be counted anew",
    "certificates/services/seal.py": "the certificate of a key that signs papers, made once; giving what it signs is audited",
    "datahub/services/draw_edges.py": "a step of services that audit: runs are drawn, definitions registered",
    "datahub/services/record_run.py": "what a job did, whose own write is audited",
    "datahub/services/exchange/call_node.py": "how far a packet and its letters are; preparing and settling them is audited",
    "datahub/services/exchange/carry_files.py": "how far a packet and its letters are; preparing and settling them is audited",
    "datahub/services/exchange/exchange_with.py": "what went wrong in a turn, to be shown; what it does is audited",
    "datahub/services/exchange/hand_out.py": "how far a packet and its letters are; preparing and settling them is audited",
    "datahub/services/exchange/introduce_now.py": "what went wrong, to be shown; the introduction is audited",
    "datahub/services/exchange/sign_call.py": "when a node was last heard of",
    "datahub/services/exchange/write_letter.py": "an outbox of letters about what is audited",
    "datahub/services/offer.py": "a line in the table of contents; writing to the dataset is audited",
    "datahub/services/workbench/ask.py": "`ask_lake` and `ask_shared` write an entry before anything is answered",
    "directory/services/apply_roster/pending.py": "takes back rows that nobody has ever seen",
    "directory/services/end_tie.py": "a step of services that audit: transfer, leave, end a role, close an org",
    "directory/services/issue_numbers.py": "a counter; whoever asks for the number audits what it is for",
    "directory/services/propose_duplicates.py": "proposals by a job; deciding one is audited",
    "directory/services/rebuild_counts.py": "counters that can be counted anew",
    "directory/services/shift_counts.py": "counters that can be counted anew",
    "identity/services/cas/sign_out.py": "marks who was told; the sign-out itself is audited",
    "identity/services/oauth/messages.py": "remembers a message that was used, so that it is not used again",
    "identity/services/oauth/prove.py": "remembers a value that was used, so that it is not used again",
    "identity/services/oauth/push.py": "a request that waits for minutes; what comes of it is audited",
    "identity/services/saml/sign_out.py": "marks who was told; the sign-out itself is audited",
    "identity/services/profile.py": "the language of one's own pages",
    "identity/services/throttle.py": "counters of failures; the refused sign-in is audited",
    "interop/services/count_calls.py": "counters of quotas",
    "interop/services/emit.py": "an outbox of events, whose cause is audited",
    "messaging/services/notices.py": "notices about what is audited, and whether they were read",
    "messaging/services/outbox.py": "an outbox, itself the record of what was sent",
    "pages/services/hints.py": "which hints somebody has read",
    "pages/services/saved_views.py": "how somebody likes to see a list",
    "records/services/cmi5/accept.py": "how far a session is; the statements that tell it are audited as they are stored",
    "records/services/count_refusals.py": "counters of what was refused and left no trace",
    "records/services/define_activities.py": "what statements tell of activities; the statements are the record",
    "trust/services/authority/publish.py": "a list made anew from what is audited",
    "trust/services/log/anchoring.py": "the log is the record",
    "trust/services/log/delivering.py": "`HeadDelivery` is the record; an entry here would make the next head, and so for ever",
    "trust/services/log/growing.py": "the log is the record",
    "trust/services/log/trail.py": "the audit trail on its way into the log",
    "trust/services/log/witnessing.py": "`WitnessedHead` is the record; two installations would write about each other for ever",
    "work/services/lease.py": "how far a job is; starting and stopping one is audited",
}


def writes(source: Source) -> bool:
    """Whether it calls a writing method of a manager or queryset, or saves a record by its columns."""
    return any(is_write(node) for node in ast.walk(source.tree) if isinstance(node, ast.Call))


def is_write(call: ast.Call) -> bool:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in WRITES:
        return False
    names_columns = any(word.arg in ("update_fields", "force_insert") for word in call.keywords)
    return ".objects" in ast.unparse(call.func.value) or (call.func.attr == "save" and names_columns)


def audits(source: Source) -> bool:
    return bool(re.search(r"\baudit\.record(_many)?\(|\btrail\.record\(|\brecord\(", source.text))


def unaudited() -> set[str]:
    services = [source for source in product() if re.search(r"/shuren/\w+/services(/|\.py)", source.name)]
    return {source.name.removeprefix("src/shuren/") for source in services if writes(source) and not audits(source)}


def test_every_module_of_services_that_writes_also_audits() -> None:
    assert sorted(unaudited() - set(EXEMPT)) == []
    assert sorted(set(EXEMPT) - unaudited()) == [], "these audit by now, or are gone"
