"""Signatures and checks a second, SM2 per back end beside ECDSA P-256 of `cryptography` in the same run; one thread.

PYTHONPATH=src python bench/crypto.py [seconds per line]
"""

import sys
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shuren.trust.rules.crypto import sm2, sm4
from shuren.trust.rules.crypto.digests import sm3, sm3_by_cryptography

TEXT = b"440101201501011234" * 4


def rate(work: Callable[[], object], seconds: float) -> float:
    work()
    count, begun = 0, time.perf_counter()
    while (spent := time.perf_counter() - begun) < seconds:
        work()
        count += 1
    return count / spent


def main(seconds: float) -> None:
    p256 = ec.generate_private_key(ec.SECP256R1())
    algorithm = ec.ECDSA(hashes.SHA256())
    signed = p256.sign(TEXT, algorithm)
    public = p256.public_key()
    base_sign = rate(lambda: p256.sign(TEXT, algorithm), seconds)
    base_verify = rate(lambda: public.verify(signed, TEXT, algorithm), seconds)
    print("| what | sign/s | verify/s | of ECDSA |\n|---|---|---|---|")
    print(f"| ECDSA P-256, cryptography | {base_sign:,.0f} | {base_verify:,.0f} | |")
    key = sm2.Sm2Key.made()
    for backend in sm2.BACKENDS:
        signature = backend.sign(TEXT, key=key)
        sign = rate(lambda backend=backend: backend.sign(TEXT, key=key), seconds)
        verify = rate(lambda backend=backend, signature=signature: backend.verify(TEXT, signature, point=key.point), seconds)
        print(f"| SM2, {backend.name} | {sign:,.0f} | {verify:,.0f} | {sign / base_sign:.0%} / {verify / base_verify:.0%} |")
    print("\n| what | calls/s on 72 bytes |\n|---|---|")
    secret, nonce = bytes(32), bytes(12)
    aes = AESGCM(secret)
    print(f"| AES-256-GCM, cryptography | {rate(lambda: aes.encrypt(nonce, TEXT, b'p'), seconds):,.0f} |")
    for block in sm4.BACKENDS:
        found = rate(lambda block=block: block.encrypt_gcm(secret[:16], nonce, TEXT, b"p"), seconds)
        print(f"| SM4-GCM, {block.name} | {found:,.0f} |")
    print(f"| SM3, hashlib | {rate(lambda: sm3(TEXT), seconds):,.0f} |")
    print(f"| SM3, cryptography | {rate(lambda: sm3_by_cryptography(TEXT), seconds):,.0f} |")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
