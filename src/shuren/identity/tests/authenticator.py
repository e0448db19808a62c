"""A passkey in software, as a browser and its authenticator would answer."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Authenticator:
    """One key pair for `domain`; `counter` grows with every use, as on a security key."""

    def __init__(self, domain: str = "localhost", origin: str = "http://localhost") -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(32)
        self.domain, self.origin, self.counter = domain, origin, 0
        self.user_handle = b""
        self.flags = PRESENT_AND_VERIFIED

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create` gives for these options."""
        credential = AttestedCredentialData.create(
            Aaguid(bytes(16)), self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        data = AuthenticatorData.create(self._rp_hash(), self.flags | AuthenticatorData.FLAG.AT, self.counter, bytes(credential))
        answer = {
            "clientDataJSON": websafe_encode(self._client_data("webauthn.create", options["challenge"])),
            "attestationObject": websafe_encode(bytes(AttestationObject.create("none", data, {}))),
        }
        return self._credential(answer)

    def get(self, options: dict[str, Any], *, kind: str = "webauthn.get", spoil: bool = False) -> dict[str, Any]:
        """What `navigator.credentials.get` gives for these options; `spoil` changes one bit of the signature."""
        self.counter += 1
        data = AuthenticatorData.create(self._rp_hash(), self.flags, self.counter)
        client_data = self._client_data(kind, options["challenge"])
        signature = bytearray(self.key.sign(bytes(data) + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256())))
        if spoil:
            signature[-1] ^= 1
        answer = {
            "clientDataJSON": websafe_encode(client_data),
            "authenticatorData": websafe_encode(bytes(data)),
            "signature": websafe_encode(bytes(signature)),
        }
        if self.user_handle:
            answer["userHandle"] = websafe_encode(self.user_handle)
        return self._credential(answer)

    def _credential(self, answer: dict[str, str]) -> dict[str, Any]:
        public_id = websafe_encode(self.credential_id)
        return {"id": public_id, "rawId": public_id, "type": "public-key", "response": answer}

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _rp_hash(self) -> bytes:
        return hashlib.sha256(self.domain.encode()).digest()
