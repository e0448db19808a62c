"""The resource of statements: PUT, POST, GET and HEAD (1.0.3 Communication 2.1)."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

import orjson
from django.core import signing
from django.http import HttpResponse
from django.utils.http import http_date

from shuren.kernel.errors import Invalid, NotFound, Refused, ShurenError
from shuren.kernel.moments import loaded
from shuren.records.rules.actors import actor_key
from shuren.records.rules.facts import AGENT, digest_of
from shuren.records.rules.faults import MalformedStatement
from shuren.records.rules.formats import activities_in, canonical, ids_only, wished_languages
from shuren.records.rules.multipart import mixed
from shuren.records.rules.queries import FILTERS, SHAPES, Shaping, StatementQuery, read_query, read_shaping, wanted_id
from shuren.records.rules.received import Received, attachments_in, read_request
from shuren.records.rules.values import is_uuid
from shuren.records.selectors.activities import definitions_of
from shuren.records.selectors.consistent import consistent_through
from shuren.records.selectors.files import file_content
from shuren.records.selectors.statements import Position, statement_by_id, statement_page
from shuren.records.services.callers import READ, READ_ALL, READ_OWN, WRITE
from shuren.records.services.cmi5.accept import accept_statements
from shuren.records.services.count_refusals import note_refusal
from shuren.records.services.store_statements import store_together
from shuren.records.views.asked import THROUGH_HEADER, Call, Door, lrs_resource, moment_text

_SALT = "records.statements.more"
_READ = Door(frozenset({READ, READ_OWN, READ_ALL}), optional=FILTERS | SHAPES | {"statementId", "voidedStatementId", "more"})
_WRITE = frozenset({WRITE})


@lrs_resource({"GET": _READ, "PUT": Door(_WRITE, frozenset({"statementId"})), "POST": Door(_WRITE)})
def statements(call: Call) -> HttpResponse:
    if call.method == "GET":
        return _get(call)
    try:
        return _put(call) if call.method == "PUT" else _post(call)
    except ShurenError as error:
        note_refusal(error, client_id=call.client, now=call.now)
        raise


def _put(call: Call) -> HttpResponse:
    wanted = call.params["statementId"]
    if not is_uuid(wanted):
        raise Invalid("statementId is not a UUID.")
    received = read_request(call.body, call.content_type, version=call.version, is_single=True)
    statement = received.statements[0]
    if statement.setdefault("id", wanted).lower() != wanted.lower():
        raise MalformedStatement("is another than statementId", "statement.id")
    _store(call, received)
    return HttpResponse(status=204)


def _post(call: Call) -> HttpResponse:
    received = read_request(call.body, call.content_type, version=call.version, is_single=False)
    return HttpResponse(orjson.dumps(_store(call, received)), content_type="application/json")


def _store(call: Call, received: Received) -> list[str]:
    """What a unit of a course says is held to the rules of its session besides."""
    store = store_together if call.caller.session is None else accept_statements
    return store(caller=call.caller, received=received, version=call.version, issuer=call.issuer, now=call.now)


def _get(call: Call) -> HttpResponse:
    through = moment_text(consistent_through(now=call.now))
    params = _resumed(call.params["more"]) if set(call.params) == {"more"} else dict(call.params)
    after = Position(loaded(params.pop("at")), int(params.pop("seq"))) if "seq" in params else None
    if "more" in params:
        raise Invalid("more stands alone.")
    shaping = read_shaping(params)
    wanted = wanted_id(params)
    own = "" if call.caller.may(READ, READ_ALL) else digest_of(AGENT, actor_key(call.authority))
    if wanted is not None:
        response = _one(call, wanted, shaping, own)
    else:
        query = _held_to_session(call, replace(read_query(params, version=call.version), own=own))
        page = statement_page(query, after=after)
        more = _more(params, page.next) if page.next else ""
        bodies = _shaped(call, page.bodies, shaping)
        content = b'{"statements":[' + b",".join(bodies) + b'],"more":' + orjson.dumps(more) + b"}"
        response = _answer(content, page.bodies, shaping)
    response.headers[THROUGH_HEADER] = through
    return response


def _held_to_session(call: Call, query: StatementQuery) -> StatementQuery:
    """A token for a person reads what that person did, a unit of a course only what belongs to its registration."""
    query = replace(query, person_id=call.caller.person_id)
    if call.caller.session is None:
        return query
    registration = call.caller.session.registration
    if query.registration not in ("", registration):
        raise Refused("The session is for another registration.")
    return replace(query, registration=registration)


def _is_within_session(call: Call, body: bytes) -> bool:
    session = call.caller.session
    if session is None:
        return True
    return str(orjson.loads(body).get("context", {}).get("registration", "")).lower() == session.registration


def _one(call: Call, wanted: tuple[str, bool], shaping: Shaping, own: str) -> HttpResponse:
    statement_id, is_voided = wanted
    found = statement_by_id(statement_id, is_voided=is_voided, own=own, person_id=call.caller.person_id)
    if found is None or not _is_within_session(call, found.body):
        raise NotFound("There is no such statement.")
    response = _answer(_shaped(call, [found.body], shaping)[0], [found.body], shaping)
    response.headers["Last-Modified"] = http_date(found.stored.timestamp())
    return response


def _shaped(call: Call, bodies: Sequence[bytes], shaping: Shaping) -> Sequence[bytes]:
    if shaping.format == "exact":
        return bodies
    found = [orjson.loads(body) for body in bodies]
    if shaping.format == "ids":
        return [orjson.dumps(ids_only(one)) for one in found]
    known = definitions_of(sorted({iri for one in found for iri in activities_in(one)}))
    languages = wished_languages(call.headers.get("accept-language", ""))
    return [orjson.dumps(canonical(one, definitions=known, languages=languages)) for one in found]


def _answer(content: bytes, bodies: Sequence[bytes], shaping: Shaping) -> HttpResponse:
    if not shaping.has_attachments:
        return HttpResponse(content, content_type="application/json")
    files: dict[str, tuple[str, bytes]] = {}
    for body in bodies:
        for attachment in attachments_in(orjson.loads(body)) if b'"attachments"' in body else ():
            digest = attachment["sha2"].lower()
            kept = file_content(digest) if digest not in files else None
            if kept is not None:
                files[digest] = (attachment["contentType"], kept)
    boundary = uuid4().hex
    told = mixed(boundary, content, [(digest, kind, kept) for digest, (kind, kept) in files.items()])
    return HttpResponse(told, content_type=f"multipart/mixed; boundary={boundary}")


def _more(params: dict[str, str], position: Position) -> str:
    """A relative address that stays valid: it says where the page ended, not how many were there."""
    told = signing.dumps({**params, "at": position.stored.isoformat(), "seq": str(position.seq)}, salt=_SALT, compress=True)
    return f"/xapi/statements?more={told}"


def _resumed(text: str) -> dict[str, str]:
    try:
        found: dict[str, str] = signing.loads(text, salt=_SALT)
    except signing.BadSignature:
        raise Invalid("more is not an address that was given here.") from None
    return found
