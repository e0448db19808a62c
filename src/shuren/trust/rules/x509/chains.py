"""Whether a chain of certificates leads to a root that is trusted: RFC 5280 §6, as far as certificates here use it.

`cryptography` has such a check but no SM2; ours knows the four algorithms, and refuses every critical extension that it
does not know.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from asn1crypto.x509 import Certificate

from shuren.trust.data import ChainVerdict, SignatureForm
from shuren.trust.rules.crypto.encoding import NotAKey
from shuren.trust.rules.signing import raw_form, verifies
from shuren.trust.rules.x509.algorithms import algorithm_of_signature, algorithm_of_spki
from shuren.trust.rules.x509.certificates import name_text, read_certificate

MAX_LENGTH = 8
_KNOWN_CRITICAL = {"basic_constraints", "key_usage", "extended_key_usage", "subject_alt_name"}
IsRevoked = Callable[[bytes, bytes], bool]


def is_issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    """Whether `issuer`'s key signed `certificate`, with the algorithm of that key."""
    spki = bytes(issuer.public_key.dump())
    try:
        algorithm = algorithm_of_spki(spki)
        if algorithm_of_signature(certificate["signature_algorithm"]) is not algorithm:
            return False
        if certificate["signature_algorithm"].dump() != certificate["tbs_certificate"]["signature"].dump():
            return False
        raw = raw_form(bytes(certificate["signature_value"].native), algorithm=algorithm, form=SignatureForm.DER)
        data = bytes(certificate["tbs_certificate"].dump())
        return raw is not None and verifies(data, raw, spki=spki, algorithm=algorithm)
    except NotAKey:
        return False


def check_chain(
    leaf: bytes,
    *,
    others: Sequence[bytes],
    roots: Sequence[bytes],
    moment: datetime,
    is_revoked: IsRevoked,
) -> ChainVerdict:
    """Follow issuers from `leaf` to one of `roots`; `is_revoked(certificate, issuer)` is asked at every step.

    Faults are codes: `expired`, `not_yet`, `revoked`, `no_issuer`, `too_long`, `not_an_authority`, `path_length`,
    `unknown_extension`.
    """
    anchors = [read_certificate(der) for der in roots]
    pool = [*anchors, *(read_certificate(der) for der in others)]
    trusted = {certificate.sha256 for certificate in anchors}
    path, faults = [read_certificate(leaf)], []
    while path[-1].sha256 not in trusted:
        issuer = _issuer_of(path[-1], pool)
        if issuer is None or len(path) >= MAX_LENGTH:
            faults.append("no_issuer" if issuer is None else "too_long")
            break
        if is_revoked(bytes(path[-1].dump()), bytes(issuer.dump())):
            faults.append("revoked")
        faults += _faults_of_issuer(issuer, below=len(path) - 1)
        path.append(issuer)
    for certificate in path:
        faults += _faults_of(certificate, moment)
    return ChainVerdict(faults=tuple(dict.fromkeys(faults)), subjects=tuple(name_text(entry.subject) for entry in path))


def _issuer_of(certificate: Certificate, pool: Sequence[Certificate]) -> Certificate | None:
    if certificate.self_issued:
        return None
    wanted = certificate.issuer.dump()
    return next((entry for entry in pool if entry.subject.dump() == wanted and is_issued_by(certificate, entry)), None)


def _faults_of_issuer(issuer: Certificate, *, below: int) -> list[str]:
    constraints, usage = issuer.basic_constraints_value, issuer.key_usage_value
    if constraints is None or not constraints["ca"].native or (usage is not None and "key_cert_sign" not in usage.native):
        return ["not_an_authority"]
    most = constraints["path_len_constraint"].native
    return ["path_length"] if most is not None and below > most else []


def _faults_of(certificate: Certificate, moment: datetime) -> list[str]:
    faults = []
    if moment < certificate.not_valid_before:
        faults.append("not_yet")
    if moment > certificate.not_valid_after:
        faults.append("expired")
    if set(certificate.critical_extensions) - _KNOWN_CRITICAL:
        faults.append("unknown_extension")
    return faults
