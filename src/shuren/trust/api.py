"""The face of proof: sealing, keys and signatures, and the evidence log."""

from shuren.trust.rules.crypto.digests import digest
from shuren.trust.rules.log.archive import Closing, faults_of_archive, faults_of_line
from shuren.trust.rules.log.merkle import root_over
from shuren.trust.rules.log.proofs import proof_as_json, read_proof, verify_proof
from shuren.trust.rules.log.witness import WitnessRefused
from shuren.trust.rules.sealing import SealBroken
from shuren.trust.rules.signing import jwk_of
from shuren.trust.rules.wrapping import unwrapped as unwrap_secret
from shuren.trust.rules.wrapping import wrapped as wrap_secret
from shuren.trust.rules.x509.certificates import NotACertificate, certificates_in, subject_text
from shuren.trust.selectors.archive import archive_file, archive_files, archived_page, archived_stream
from shuren.trust.selectors.audit import AuditPage, audit_page, audit_stream
from shuren.trust.selectors.authorities import (
    authorities,
    authority,
    certificate,
    certificates_by_ids,
    certificates_ending,
    certificates_of_key,
    fingerprint_of,
    pem_chain,
    trusted_roots,
    validate_certificate,
    verify_timestamp,
)
from shuren.trust.selectors.checks import faults_of_folder, faults_of_log
from shuren.trust.selectors.keys import key_of, key_versions, names_under, public_jwks, public_key_of
from shuren.trust.selectors.log import (
    consistency,
    delivery_states,
    latest_leaves,
    proof_of,
    proof_of_subject,
    proofs_of,
    tree_head,
    tree_heads,
)
from shuren.trust.selectors.note_keys import log_keys, witness_key
from shuren.trust.selectors.record_checks import faults_of_records
from shuren.trust.selectors.tiles import tile_bytes
from shuren.trust.selectors.trail_checks import faults_of_trail
from shuren.trust.services.authority.found import accept_authority, authority_request, found_authority
from shuren.trust.services.authority.issue import (
    issue_certificate,
    issue_with_key,
    renew_certificate,
    revoke_certificate,
    spki_of_request,
)
from shuren.trust.services.authority.own import own_chain
from shuren.trust.services.authority.publish import answer_ocsp, crl_of
from shuren.trust.services.authority.roots import distrust_root, trust_root
from shuren.trust.services.authority.stamp import answer_timestamp, timestamp, timestamp_for
from shuren.trust.services.keys.for_apps import (
    key_versions_for,
    keys_for,
    make_key_for,
    revoke_key_for,
    rotate_key_for,
    seal_for,
    sign_for,
    unseal_for,
    verify_for,
)
from shuren.trust.services.keys.make import ensure_key, make_key, revoke_key, rotate_key
from shuren.trust.services.keys.sign import private_jwk_of, sign, sign_jws, sign_many, verify
from shuren.trust.services.log.anchoring import anchor, anchor_many
from shuren.trust.services.log.archiving import archive_trail, hand_out_trail
from shuren.trust.services.log.delivering import deliver_heads
from shuren.trust.services.log.growing import grow_log
from shuren.trust.services.log.trail import anchor_trail
from shuren.trust.services.log.trimming import trim_log_files
from shuren.trust.services.log.witnessing import add_checkpoint
from shuren.trust.services.reseal import begin_resealing, rotate_seal_key
from shuren.trust.services.sealing import blind_index, seal, seal_versions, unseal, wrap_seal_keys

__all__ = [
    "AuditPage",
    "Closing",
    "NotACertificate",
    "SealBroken",
    "WitnessRefused",
    "accept_authority",
    "add_checkpoint",
    "anchor",
    "anchor_many",
    "anchor_trail",
    "answer_ocsp",
    "answer_timestamp",
    "archive_file",
    "archive_files",
    "archive_trail",
    "archived_page",
    "archived_stream",
    "audit_page",
    "audit_stream",
    "authorities",
    "authority",
    "authority_request",
    "begin_resealing",
    "blind_index",
    "certificate",
    "certificates_by_ids",
    "certificates_ending",
    "certificates_in",
    "certificates_of_key",
    "consistency",
    "crl_of",
    "deliver_heads",
    "delivery_states",
    "digest",
    "distrust_root",
    "ensure_key",
    "faults_of_archive",
    "faults_of_folder",
    "faults_of_line",
    "faults_of_log",
    "faults_of_records",
    "faults_of_trail",
    "fingerprint_of",
    "found_authority",
    "grow_log",
    "hand_out_trail",
    "issue_certificate",
    "issue_with_key",
    "jwk_of",
    "key_of",
    "key_versions",
    "key_versions_for",
    "keys_for",
    "latest_leaves",
    "log_keys",
    "make_key",
    "make_key_for",
    "names_under",
    "own_chain",
    "pem_chain",
    "private_jwk_of",
    "proof_as_json",
    "proof_of",
    "proof_of_subject",
    "proofs_of",
    "public_jwks",
    "public_key_of",
    "read_proof",
    "renew_certificate",
    "revoke_certificate",
    "revoke_key",
    "revoke_key_for",
    "root_over",
    "rotate_key",
    "rotate_key_for",
    "rotate_seal_key",
    "seal",
    "seal_for",
    "seal_versions",
    "sign",
    "sign_for",
    "sign_jws",
    "sign_many",
    "spki_of_request",
    "subject_text",
    "tile_bytes",
    "timestamp",
    "timestamp_for",
    "tree_head",
    "tree_heads",
    "trim_log_files",
    "trust_root",
    "trusted_roots",
    "unseal",
    "unseal_for",
    "unwrap_secret",
    "validate_certificate",
    "verify",
    "verify_for",
    "verify_proof",
    "verify_timestamp",
    "witness_key",
    "wrap_seal_keys",
    "wrap_secret",
]
