"""An OpenAPI 3.1 document for one definition: its fields, outcomes and states typed, over the addresses that all share."""

from collections.abc import Mapping
from typing import Any

from shuren.casework.data import CaseState, DefinitionKind
from shuren.casework.rules.schema import json_schema
from shuren.casework.rules.specs.flow import FlowSpec, StageSpec
from shuren.casework.rules.specs.form import FormSpec, SectionSpec
from shuren.casework.rules.specs.register import RegisterSpec

VERSION = "3.1.0"
_TEXT = {"type": "string"}
_WHOLE = {"type": "integer", "minimum": 1}
_SESSION: list[dict[str, list[str]]] = [{"SignedIn": []}]


def definition_document(
    kind: DefinitionKind, spec: Any, *, number: int, language: str, form: FormSpec | None = None
) -> dict[str, Any]:
    """The document of a form, a flow (with the form it runs on) or a register; `number` is the version of the definition."""
    schemas: dict[str, Any] = {"Error": _error()}
    if kind is DefinitionKind.FLOW:
        assert form is not None
        paths = _flow_paths(spec, form, schemas, language)
    elif kind is DefinitionKind.REGISTER:
        paths = _register_paths(spec, schemas, language)
    else:
        schemas["Data"] = _schema(spec, language)
        paths = _filing_paths({"form": {"const": spec.key}}, "Data")
    return {
        "openapi": VERSION,
        "info": {"title": spec.title.text(language), "version": str(number), "x-key": spec.key, "x-kind": kind.value},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"SignedIn": {"type": "apiKey", "in": "cookie", "name": "sessionid"}},
        },
    }


def _schema(form: FormSpec, language: str) -> dict[str, Any]:
    """A form's schema as a part of the document: the dialect is that of OpenAPI 3.1 itself."""
    return {key: value for key, value in json_schema(form, language=language).items() if key != "$schema"}


def _flow_paths(flow: FlowSpec, form: FormSpec, schemas: dict[str, Any], language: str) -> dict[str, Any]:
    schemas["Data"] = _schema(form, language)
    schemas["Case"] = _case(flow, language)
    answers = []
    for stage in flow.stages:
        name = f"Decide_{stage.key}"
        schemas[name] = _decision(stage, form, language)
        answers.append({"$ref": f"#/components/schemas/{name}"})
    paths = _filing_paths({"flow": {"const": flow.key}}, "Data")
    body = {"oneOf": answers} if len(answers) > 1 else answers[0]
    paths["/work/{work_id}/decide"] = {"post": _operation("decide_work", "Answer an item", body, "Case", ["work_id"])}
    return paths


def _filing_paths(named: Mapping[str, Any], data: str) -> dict[str, Any]:
    """Filing, saving and handing in, the same for every form."""
    reference = {"$ref": f"#/components/schemas/{data}"}
    new = {
        "type": "object",
        "properties": {**named, "org_id": _TEXT, "subject_id": _TEXT, "data": _partly(reference), "title": _TEXT},
        "required": [*named, "org_id"],
    }
    draft = {"type": "object", "properties": {"revision": _WHOLE, "data": _partly(reference)}, "required": ["revision", "data"]}
    return {
        "/cases": {"post": _operation("file_case", "File a case; a draft is made", new, "", [], status="201")},
        "/cases/{case_id}": {"patch": _operation("save_case", "Save a draft", draft, "", ["case_id"])},
        "/cases/{case_id}/submit": {"post": _operation("submit_case", "Hand a draft in", None, "", ["case_id"])},
    }


def _partly(reference: Mapping[str, Any]) -> dict[str, Any]:
    """A draft has the fields of the form, but may lack any of them or hold what is not right yet."""
    return {"type": "object", "description": "Checked against the schema when it is handed in.", "x-schema": dict(reference)}


def _case(flow: FlowSpec, language: str) -> dict[str, Any]:
    ends = {end.key: end.title.text(language) for end in flow.ends}
    stages = {stage.key: stage.title.text(language) for stage in flow.stages}
    return {
        "type": "object",
        "properties": {
            "id": _TEXT,
            "number": _TEXT,
            "state": {"type": "string", "enum": [state.value for state in CaseState]},
            "stage": {"type": "string", "enum": ["", *stages], "x-enum-titles": stages},
            "end": {"type": "string", "enum": ["", *ends], "x-enum-titles": ends},
            "revision": _WHOLE,
        },
        "required": ["id", "number", "state"],
    }


def _decision(stage: StageSpec, form: FormSpec, language: str) -> dict[str, Any]:
    titles = {outcome.key: outcome.title.text(language) for outcome in stage.outcomes}
    told: dict[str, Any] = {
        "outcome": {"type": "string", "enum": list(titles), "x-enum-titles": titles},
        "comment": {"type": "string", "maxLength": 5000},
    }
    if stage.fields:
        section = SectionSpec(key="written", title=stage.title, fields=stage.fields)
        told["written"] = _schema(FormSpec(key="stage.written", title=stage.title, sections=(section,)), language)
    if stage.edits:
        own = _schema(form, language)["properties"]
        told["edits"] = {"type": "object", "properties": {key: own[key] for key in stage.edits if key in own}}
        told["revision"] = {"type": "integer"}
    return {"type": "object", "title": stage.title.text(language), "properties": told, "required": ["outcome"]}


def _register_paths(spec: RegisterSpec, schemas: dict[str, Any], language: str) -> dict[str, Any]:
    schemas["Data"] = _schema(spec, language)
    state = {"type": "string", "enum": [one.key for one in spec.states]} if spec.states else _TEXT
    reference = {"$ref": "#/components/schemas/Data"}
    own = {"org_id": _TEXT, "data": reference, "state": state, "reason": _TEXT}
    new = {"type": "object", "properties": own, "required": ["org_id", "data"]}
    changed = {"revision": _WHOLE, "data": _partly(reference), "state": state, "reason": _TEXT}
    change = {"type": "object", "properties": changed, "required": ["revision"]}
    return {
        f"/registers/{spec.key}/entries": {
            "get": _operation("list_entries", "Entries", None, "", []),
            "post": _operation("add_entry", "Add an entry", new, "", [], status="201"),
        },
        "/entries/{entry_id}": {"patch": _operation("change_entry", "Change an entry", change, "", ["entry_id"])},
    }


def _operation(
    name: str, summary: str, body: Mapping[str, Any] | None, answer: str, parameters: list[str], *, status: str = "200"
) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer}"} if answer else {"type": "object"}}}
    wrong = {"description": "What happened and how to mend it", "content": {"application/json": {"schema": _ERROR}}}
    told: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "security": _SESSION,
        "responses": {status: {"description": summary, "content": content}, "400": wrong, "404": wrong, "409": wrong},
    }
    if parameters:
        told["parameters"] = [{"name": one, "in": "path", "required": True, "schema": _TEXT} for one in parameters]
    if body is not None:
        told["requestBody"] = {"required": True, "content": {"application/json": {"schema": dict(body)}}}
    return told


_ERROR = {"$ref": "#/components/schemas/Error"}


def _error() -> dict[str, Any]:
    told = {"status": {"type": "integer"}, "message": _TEXT, "remedy": _TEXT}
    return {"type": "object", "properties": {"error": {"type": "object", "properties": told}}, "required": ["error"]}
