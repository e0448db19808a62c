"""National and international algorithms behind one small interface: SM2, SM3, SM4 beside ECDSA, RSA and Ed25519."""
