"""Who may come in, and which apps may come in for them.

An account belongs to one person (or to none: an installation's first administrator). `SignIn` lists where it is
signed in, `FormerPassword` keeps the last hashes so that they are not used again, `Failure` counts refused attempts
by origin, `Device` the browsers an account is known in. What can be shown beside a password stands in `factors`.
`CredentialBatch` hands out first passwords to many.
A `Client` is an app; an `Authorization` is what one sign-in of an account gave to it.
"""

from shuren.identity.models.account import Account, AccountManager, FormerPassword, FormerUsername
from shuren.identity.models.authorization import AppConsent, Authorization, DeviceRequest, PushedRequest, SpentValue
from shuren.identity.models.batches import CredentialBatch, CredentialFile, LeftOut
from shuren.identity.models.binding import BindingCode
from shuren.identity.models.cas import CasService, CasTicket
from shuren.identity.models.client import Client, ClientSecret
from shuren.identity.models.elsewhere import QrTicket, VendorBinding
from shuren.identity.models.factors import Device, OneTimeCode, Passkey, RecoveryCode, TotpSecret
from shuren.identity.models.pictures import PictureCard, PicturePassword
from shuren.identity.models.policy import SchoolNetwork, SignInPolicy
from shuren.identity.models.saml import SamlService, SamlSession
from shuren.identity.models.sign_in import Failure, SignIn
from shuren.identity.models.upstream import Upstream, UpstreamLink, UpstreamSession

__all__ = [
    "Account",
    "AccountManager",
    "AppConsent",
    "Authorization",
    "BindingCode",
    "CasService",
    "CasTicket",
    "Client",
    "ClientSecret",
    "CredentialBatch",
    "CredentialFile",
    "Device",
    "DeviceRequest",
    "Failure",
    "FormerPassword",
    "FormerUsername",
    "LeftOut",
    "OneTimeCode",
    "Passkey",
    "PictureCard",
    "PicturePassword",
    "PushedRequest",
    "QrTicket",
    "RecoveryCode",
    "SamlService",
    "SamlSession",
    "SchoolNetwork",
    "SignIn",
    "SignInPolicy",
    "SpentValue",
    "TotpSecret",
    "Upstream",
    "UpstreamLink",
    "UpstreamSession",
    "VendorBinding",
]
