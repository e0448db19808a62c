"""The resources of the SCIM service (RFC 7643), no wider than what is kept: the published schemas are made from these."""

from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URI,
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    External,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    Schema,
    ScimPolicy,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

MAX_RESULTS = 200
DEFAULT_COUNT = 100
MAX_OPERATIONS = 100
MAX_PAYLOAD = 1_048_576

# What Entra, Okta and others send beyond the letter of RFC 7644, and mean.
TOLERANT = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class Name(ComplexAttribute):
    """The parts of a name as the roster has them."""

    formatted: Annotated[str | None, Mutability.read_only] = None
    family_name: Annotated[str | None, Mutability.read_only] = None
    given_name: Annotated[str | None, Mutability.read_only] = None


class Email(ComplexAttribute):
    """The one address on file."""

    value: str | None = None
    type: str | None = Field(None, examples=["work"])


class PhoneNumber(ComplexAttribute):
    """The one number on file."""

    value: str | None = None
    type: str | None = Field(None, examples=["mobile"])


class GroupOfUser(ComplexAttribute):
    """An org in which the person holds a place."""

    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    display: Annotated[str | None, Mutability.read_only] = None


class User(Resource[Any]):
    """A person of the roster and their account; `active` is false while they have none, or it sleeps."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Mutability.immutable, Uniqueness.server] = None
    display_name: Annotated[str | None, Required.true] = None
    active: Annotated[bool | None, Required.true] = None
    name: Annotated[Name | None, Mutability.read_only] = None
    emails: list[Email] | None = None
    phone_numbers: list[PhoneNumber] | None = None
    user_type: Annotated[str | None, Mutability.read_only] = None
    preferred_language: Annotated[str | None, Mutability.read_only] = None
    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None


class Member(ComplexAttribute):
    """A person who holds a place in the org."""

    value: Annotated[str | None, Mutability.immutable, CaseExact.true] = None
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    type: Annotated[str | None, Mutability.immutable] = Field(None, examples=["User"])


class Group(Resource[Any]):
    """An org of the tree with the people who hold a place in it itself."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true] = None
    members: list[Member] | None = None


RESOURCES: dict[str, type[Resource[Any]]] = {"User": User, "Group": Group}
_DESCRIPTIONS = {"User": "People of the roster and their accounts", "Group": "Orgs and classes"}
_DESCRIBED: tuple[type[Any], ...] = (User, Group, ServiceProviderConfig, ResourceType, Schema)


def schemas() -> list[Schema]:
    """Everything that `/Schemas` tells."""
    return [model.to_schema() for model in _DESCRIBED]


def resource_types() -> list[ResourceType]:
    return [
        ResourceType(
            id=name,
            name=name,
            description=_DESCRIPTIONS[name],
            endpoint=Reference[URI](f"/{name}s"),
            schema=Reference[URI](str(model.__schema__)),
        )
        for name, model in RESOURCES.items()
    ]


def service_provider_config() -> ServiceProviderConfig:
    """What the service can do (RFC 7643 5)."""
    return ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=True, max_operations=MAX_OPERATIONS, max_payload_size=MAX_PAYLOAD),
        filter=Filter(supported=True, max_results=MAX_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="OAuth 2.0 bearer token",
                description="Client credentials grant with the scopes scim.read, scim.write, scim.people",
                spec_uri=Reference[External]("https://www.rfc-editor.org/rfc/rfc6750"),
                primary=True,
            )
        ],
    )
