"""Settings of the test runs: a throw-away data folder and cheap password hashing, everything else as shipped."""

import atexit
import os
import shutil
import tempfile

if "SHUREN_TEST_DATA_DIR" in os.environ:
    os.environ["SHUREN_DATA_DIR"] = os.environ["SHUREN_TEST_DATA_DIR"]
else:
    os.environ["SHUREN_DATA_DIR"] = _folder = tempfile.mkdtemp(prefix="shuren-test-")
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)

from shuren.conf.settings import *  # noqa: F403  # the folder must be chosen before the settings are read

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher", "shuren.identity.hashers.Argon2idHasher"]
ALLOWED_HOSTS = ["*"]
