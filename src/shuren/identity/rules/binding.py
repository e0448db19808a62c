"""What a binding code looks like, and how long it is good."""

import secrets
from datetime import timedelta

CODES_PER_WARD = 2
VALID_FOR = timedelta(days=30)
MAX_WARDS = 500
# From one network so many wrong codes are taken in a quarter of an hour: a parents' evening shares one address.
MAX_FAILURES = 60
FAILURE_WINDOW = timedelta(minutes=15)

# Crockford's base 32: no letter that looks like another. Ten of them are 50 bits.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
_LENGTH = 10


def binding_code() -> str:
    """A new code, as it is printed: `7KQ2M-XA94T`."""
    letters = "".join(secrets.choice(_ALPHABET) for _place in range(_LENGTH))
    return f"{letters[:5]}-{letters[5:]}"


def bare_code(text: str) -> str:
    """A typed code as it is compared; empty when it can be none."""
    bare = text.strip().upper().translate(_LOOK_ALIKES)
    return bare if len(bare) == _LENGTH and set(bare) <= set(_ALPHABET) else ""


def is_same_name(typed: str, name: str) -> bool:
    """Whether somebody wrote the child's name, blanks and the dot of long names aside."""
    return _bare_name(typed) == _bare_name(name) != ""


def short_name(name: str) -> str:
    """What a slip shows of a child: enough for the teacher to hand it out, too little for whoever finds it."""
    return f"{name[:1]}{'*' * max(1, len(name) - 1)}" if name else ""


def _bare_name(text: str) -> str:
    return "".join(text.split()).replace("·", "").replace("・", "").casefold()
