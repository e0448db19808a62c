"""Tags of the account pages."""

from django import template

from shuren.identity import words
from shuren.identity.selectors.upstreams import has_upstreams, upstream_links

register = template.Library()
register.simple_tag(words.role_name, name="role_name")
register.simple_tag(words.picture_name, name="picture_name")
register.simple_tag(words.method_name, name="method_name")
register.simple_tag(words.risk_name, name="risk_name")
register.simple_tag(words.device_name, name="device_name")
register.simple_tag(has_upstreams, name="has_upstreams")
register.simple_tag(upstream_links, name="upstream_links")
