"""The face of certificates: templates, certificates given and taken back, and whether one is good."""

from shuren.certificates.selectors.checking import verdict_by_number, verdict_of_file
from shuren.certificates.services.give import give_certificate
from shuren.certificates.services.give_batch import give_batch
from shuren.certificates.services.revoke import reissue_certificate, revoke_certificate
from shuren.certificates.services.take_list import list_template
from shuren.certificates.services.write_template import add_template, change_template, retire_template

__all__ = [
    "add_template",
    "change_template",
    "give_batch",
    "give_certificate",
    "list_template",
    "reissue_certificate",
    "retire_template",
    "revoke_certificate",
    "verdict_by_number",
    "verdict_of_file",
]
