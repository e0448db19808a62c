"""The WSGI application that granian, gunicorn or any other server runs.

Behind a proxy the peer is the proxy: `REMOTE_ADDR` is set to the last hop of X-Forwarded-For that is not a trusted proxy
itself, and only when the peer is one; what a stranger writes into that header is passed over.
"""

import gc
import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from granian.utils.proxies import wrap_wsgi_with_proxy_headers

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shuren.conf.settings")
application = wrap_wsgi_with_proxy_headers(get_wsgi_application(), settings.SHUREN_TRUSTED_PROXIES)

# What is loaded now stays: looking through it again and again would make every hundredth page wait a tenth of a second.
gc.collect()
gc.freeze()
