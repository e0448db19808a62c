"""The register of apps: vendors and their sandboxes, apps in versions, listings and installations, messages, usage."""

from shuren.interop.models.app import (
    App,
    AppVersion,
    ConformityTest,
    ElementWish,
    Installation,
    Listing,
    Submission,
)
from shuren.interop.models.lti import LtiLineItem, LtiLink, LtiResult
from shuren.interop.models.marks import Mark
from shuren.interop.models.roster_source import RosterPull, RosterSource
from shuren.interop.models.scim import ScimRecord
from shuren.interop.models.statistics import StatisticsReport, StatisticsTemplate
from shuren.interop.models.usage import CallCount, LaunchCount, QuotaWindow
from shuren.interop.models.vendor import Sandbox, Vendor, VendorMember
from shuren.interop.models.webhook import Delivery, DeliveryTurn, WebhookKey

__all__ = [
    "App",
    "AppVersion",
    "CallCount",
    "ConformityTest",
    "Delivery",
    "DeliveryTurn",
    "ElementWish",
    "Installation",
    "LaunchCount",
    "Listing",
    "LtiLineItem",
    "LtiLink",
    "LtiResult",
    "Mark",
    "QuotaWindow",
    "RosterPull",
    "RosterSource",
    "Sandbox",
    "ScimRecord",
    "StatisticsReport",
    "StatisticsTemplate",
    "Submission",
    "Vendor",
    "VendorMember",
    "WebhookKey",
]
