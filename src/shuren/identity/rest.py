"""Who am I, for programs."""

from django.http import HttpRequest
from ninja import Router, Schema

from shuren.identity.api import actor_of, wardrobe
from shuren.kernel import ids

router = Router(tags=["identity"])


class HatOut(Schema):
    """A role and the org where it was given."""

    role: str
    org_id: str | None
    org_name: str


class MeOut(Schema):
    """The signed-in person."""

    person_id: str | None
    name: str
    role: str | None
    hats: list[HatOut]
    permissions: list[str]


@router.get("", response=MeOut, operation_id="me", summary="The signed-in person, their hats and permissions")
def me(request: HttpRequest) -> MeOut:
    actor, kept = actor_of(request), wardrobe(request)
    return MeOut(
        person_id=ids.encode("person", actor.person_id) if actor.person_id is not None else None,
        name=actor.name,
        role=actor.role,
        hats=[
            HatOut(role=hat.role, org_id=ids.encode("org", hat.org_id) if hat.org_id else None, org_name=hat.org_name)
            for hat in kept.hats
        ],
        permissions=sorted(kept.permissions),
    )
