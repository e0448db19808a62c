"""Files with personal data graded L3 or above go through one door that asks who is there; all others stand here by name."""

import ast
import inspect
import sys
from collections.abc import Callable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver

from shuren.kernel.doors import gives_sensitive_file, is_open, purpose_of

FILES = {"render_list", "FileResponse", "StreamingHttpResponse", "workbook_response", "csv_response", "pdf_response", "show"}
FILES |= {"content_disposition_header", "download"}
HEADER = "Content-Disposition"
# What gives files without asking, each for its reason.
EXEMPT: dict[str, str] = {
    "casework:attachment": "one file of a case, opened by those who work on it; every reading by others is written down",
    "assessment:assessment": "items and how they were answered by all, nobody's own answers",
    "assessment:assessments": "tests, no people",
    "assessment:codebook": "what variables mean",
    "assessment:participation": "how many took part, by organisation",
    "casework:burden": "forms and how much they ask",
    "casework:burden_of_form": "organisations and how much a form asks of them",
    "casework:collection_compare": "figures of organisations",
    "casework:collection_orgs": "how far each organisation is",
    "casework:collections": "collections, no people",
    "casework:definitions": "forms and flows, no people",
    "casework:draw_bundle": "made to be published: what is graded above L1 stays out",
    "casework:draws": "draws, no people",
    "casework:elements": "data elements, no people",
    "casework:export_form": "a form, nobody's answers",
    "casework:flow_bpmn": "a flow, no people",
    "casework:flows": "flows, no people",
    "casework:hall_admissions": "schools and how many wait, no people",
    "casework:hall_certificates": "certificates and their templates, no people",
    "casework:hall_outward": "messages by number; what they hold stays out",
    "casework:hall_receipt": "the applicant's own receipt",
    "casework:hall_window_receipt": "the visitor's own receipt, printed at the window",
    "casework:packs": "what runs here, no people",
    "casework:public_draws": "published draws",
    "casework:open_register": "what is graded L1, published",
    "casework:register_geojson": "names of things and where they lie",
    "casework:register_labels": "names of things, to be stuck on them",
    "casework:register_template": "an empty form",
    "casework:registers": "registers, no people",
    "certificates:authority_request": "a request for a certificate, made to be published",
    "certificates:credential": "the holder's own paper, made to be shown",
    "certificates:print_certificate": "the holder's own paper, made to be shown",
    "certificates:record": "the holder's own paper, made to be shown",
    "certificates:record_print": "the holder's own paper, made to be shown",
    "datahub:archives": "archived partitions by name, no people",
    "datahub:destruction": "partitions by name, no people",
    "datahub:destruction_certificate": "what was destroyed, made to be shown; its only people are those who decided",
    "datahub:destruction_pdf": "what was destroyed, made to be shown; its only people are those who decided",
    "datahub:destructions": "datasets and how much of them, no people",
    "datahub:field_grades": "fields and their grades, no people",
    "datahub:life_cycle": "partitions by name, no people",
    "datahub:life_cycles": "datasets and their rules, no people",
    "directory:org_grants": "a page without a file",
    "certificates:region_chain": "a certificate, made to be published",
    "certificates:digital_file": "a certificate, made to be published",
    "certificates:fetch_digital": "the asker's own key, under a password they choose",
    "certificates:open_original": "what the public page shows of a certificate, in the form that was signed",
    "certificates:open_proof": "a proof to be checked by anybody, without names",
    "certificates:preview": "a template filled with nobody's data",
    "certificates:templates": "templates, no people",
    "records:cmi5_content": "files of a course, nobody's data",
    "records:course": "what is in a course, no people",
    "records:courses": "courses, no people",
    "records:import_course": "a page without a file",
    "records:courses_to_choose": "courses, no people",
    "records:arrivals": "how many statements came, by day and client",
    "records:classes_learning": "how many learned in which class, nobody by name",
    "records:learning_activities": "how often what was done, nobody by name",
    "records:my_learning": "a page without a file",
    "records:refused": "how many requests were refused, by day and client",
    "backups:backups": "backups and drills, no people",
    "backups:report": "what a drill proved: counts and digests, no people",
    "datahub:asset": "names of columns, never a value",
    "datahub:asset_runs": "what ran when, no people",
    "datahub:catalogue": "names of data, never a value",
    "datahub:choose_report_duty": "names of data, never a value",
    "datahub:exchange": "other installations, no people",
    "datahub:exchange_agreement": "how many rows were exchanged when, never a value",
    "datahub:exchange_agreements": "what was agreed with other installations, no people",
    "datahub:exchange_node": "what was agreed with an installation, no people",
    "datahub:exchange_packet": "where a packet had faults, with the value of a code at most",
    "datahub:exchange_packets": "how many rows were exchanged when, never a value",
    "datahub:node_letters": "signed words to another installation: terms and counts, never a value",
    "datahub:report_duties": "which dataset is reported by which law, no people",
    "datahub:lineage_events": "what was read and written by name, never a value",
    "datahub:choose_open_dataset": "names of data, never a value",
    "datahub:openings": "what is opened to everybody, by title",
    "open:csv_file": "what was opened to everybody",
    "open:parquet_file": "what was opened to everybody",
    "datahub:refusals": "how often a write was refused, by organisation",
    "interop:roster_sources": "which system sends which branch its roster, no people",
    "interop:roster_source": "when how many people were taken, nobody by name",
    "datahub:sharing": "names of datasets and how far each is shared, no people",
    "datahub:sharing_applications": "which unit applied for what, never a value",
    "datahub:sharing_grant": "which officer used a grant when, never a value",
    "datahub:sharing_grants": "which unit was granted what, never a value",
    "datahub:sharing_to_decide": "which unit applied for what, never a value",
    "datahub:question_answers": "what one asked oneself, by title, never a value",
    "datahub:question_file": "what is graded above L2 is masked before the question is asked",
    "datahub:saved_questions": "questions by title, never a value",
    "datahub:workbench": "names of datasets, no people",
    "datahub:sources": "data elements, no people",
    "datahub:view_columns": "what columns a view has, never a value",
    "datahub:view_run": "what changed in a view, in names and counts, never a value",
    "datahub:view_source": "how many rows were read of a view when, never a value",
    "datahub:view_sources": "views of other departments, no people",
    "front:code_set": "codes of the standards",
    "front:standard_edition": "codes of the standards",
    "front:standard_editions": "codes of the standards",
    "front:standard_element": "data elements, no people",
    "front:standard_elements": "data elements, no people",
    "front:standard_format": "names of columns, never a value",
    "front:standard_formats": "names of columns, never a value",
    "front:standard_schema": "names of columns, never a value",
    "front:standards": "codes of the standards",
    "directory:boundaries_file": "outlines of organisations",
    "directory:consent_text": "how many have agreed, by school",
    "directory:consent_texts": "notices, no people",
    "directory:org": "organisations below, no people",
    "directory:orgs": "organisations, no people",
    "evaluation:runs": "runs, no people",
    "front:import_template": "an empty form",
    "front:imports": "what was imported when, and by which officer",
    "front:jobs": "one's own jobs, no people",
    "front:outbox": "addressees and numbers are masked",
    "identity:batch": "files of a batch by number; each of them asks",
    "identity:batches": "batches, no people",
    "identity:clients": "clients, no people",
    "identity:upstreams": "providers, no people",
    "interop:developer": "one's own apps, no people",
    "interop:governed_apps": "apps, no people",
    "interop:messages_of_app": "messages by number; what they hold stays out",
    "interop:own_messages": "messages by number; what they hold stays out",
    "interop:own_usage": "how often an app was used",
    "interop:statistics": "forms of a unit and how far they are, no people",
    "interop:statistics_csv": "figures of units, made to be reported",
    "interop:statistics_differences": "figures of a unit",
    "interop:statistics_json": "figures of units, made to be reported",
    "interop:statistics_progress": "how far units are, no people",
    "interop:statistics_workbook": "figures of a unit, made to be reported",
    "interop:submissions": "apps, no people",
    "interop:vendors": "companies and whom they name to be called",
}


def views(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, Callable[..., object]]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from views(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif isinstance(pattern, URLPattern):
            yield f"{space}{pattern.name}", pattern.callback


def gives_file(view: Callable[..., object]) -> bool:
    """Whether the view, or a function of its module that it calls, makes a file."""
    function = inspect.unwrap(view)
    module = sys.modules[function.__module__]
    if not module.__name__.startswith("shuren."):
        return False
    bodies = {node.name: node for node in ast.parse(inspect.getsource(module)).body if isinstance(node, ast.FunctionDef)}
    seen: set[str] = set()
    waiting = [function.__name__]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in bodies:
            continue
        seen.add(name)
        for node in ast.walk(bodies[name]):
            word = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if word in FILES or (isinstance(node, ast.Constant) and node.value == HEADER):
                return True
            waiting += [word] if isinstance(node, ast.Name) else []
    return False


def test_every_file_asks_first_or_has_its_reason() -> None:
    givers = {name: view for name, view in views(get_resolver()) if gives_file(view)}
    assert len(givers) > 20
    free = {name for name, view in givers.items() if not gives_sensitive_file(view, {"export"}) and purpose_of(view) is None}
    assert sorted(free - set(EXEMPT)) == []
    assert sorted(set(EXEMPT) - free) == [], "these ask by now, or are gone"


def test_no_stranger_is_given_such_a_file() -> None:
    assert [name for name, view in views(get_resolver()) if gives_sensitive_file(view, {"export"}) and is_open(view)] == []
