"""Tags of the account pages."""

from django import template

from shuren.identity import words

register = template.Library()
register.simple_tag(words.role_name, name="role_name")
register.simple_tag(words.device_name, name="device_name")
