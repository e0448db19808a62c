"""Every address and every operation of the API, for every role, inside and outside its scope.

`ADDRESSES` must name every URL pattern of the portal: an undeclared one fails the test, so that nobody adds a page
without saying who may see it.
"""
import pytest
from collections import defaultdict
from django.apps import apps
from django.urls import get_resolver, URLResolver
from shuren.kernel import ids
from tests.cast import STAFF
from tests.measured import measure

def test_dump(cast):
    near=measure(cast,"near","city",{"class":("school","county"),"other_class":("school","county"),"west_class":("west_school","other_county")},{"pupil":"class","classmate":"class","other_pupil":"other_class","west_pupil":"west_class"})
    far=measure(cast,"far-off","other_city",{"far_class":("far_school","far_county")},{"far_pupil":"far_class"})
    print(near,far)
    from shuren.evaluation.api import run_state
    print(run_state(near.run_id).status, run_state(far.run_id).status, run_state(near.run_id).error)
    c=cast.client("city_officer")
    for u in [f"/reports/{near.run}/",f"/reports/{near.run}/{cast.orgs['class'].public_id}/",f"/reports/{far.run}/{cast.orgs['far_class'].public_id}/",f"/assessments/{near.assessment}/"]:
        r=c.get(u); print(u,r.status_code)
    c=cast.client("parent")
    for u in [f"/reports/{near.run}/pupils/{cast.people['pupil'].public_id}/",f"/reports/{near.run}/pupils/{cast.people['classmate'].public_id}/"]:
        r=c.get(u); print(u,r.status_code)
