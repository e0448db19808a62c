from django.urls import path, re_path

from shuren.directory.views import grant_pages, org_forms, org_pages, people_pages, person_forms, roster_files

app_name = "directory"
urlpatterns = [
    path("orgs/", org_pages.org_list, name="orgs"),
    path("orgs/<public_id>/", org_pages.org, name="org"),
    path("orgs/<public_id>/people/", org_pages.org_people, name="org_people"),
    path("orgs/<public_id>/people/new/", person_forms.add_person, name="add_person"),
    re_path(r"^orgs/(?P<public_id>[0-9a-z]+)/roster\.(?P<form>xlsx|zip)$", roster_files.roster_file, name="roster_file"),
    path("orgs/<public_id>/grants/", org_pages.org_grants, name="org_grants"),
    path("orgs/<public_id>/grants/new/", grant_pages.add_grant, name="add_grant"),
    path("orgs/<public_id>/new/", org_forms.add_org, name="add_org"),
    path("orgs/<public_id>/correct/", org_forms.correct_org, name="correct_org"),
    path("orgs/<public_id>/move/", org_forms.move_org, name="move_org"),
    path("orgs/<public_id>/merge/", org_forms.merge_org, name="merge_org"),
    path("orgs/<public_id>/close/", org_forms.close_org, name="close_org"),
    path("people/", people_pages.people, name="people"),
    path("people/duplicates/", person_forms.duplicates, name="duplicates"),
    path("people/duplicates/<public_id>/merge/", person_forms.merge_duplicate, name="merge_duplicate"),
    path("people/duplicates/<public_id>/dismiss/", person_forms.dismiss, name="dismiss_duplicate"),
    path("people/<public_id>/", people_pages.person, name="person"),
    path("people/<public_id>/correct/", person_forms.correct_person, name="correct_person"),
    path("people/<public_id>/reveal/", people_pages.reveal, name="reveal_person"),
    path("people/<public_id>/seen-by/", people_pages.seen_by, name="seen_by"),
    path("grants/", grant_pages.grants, name="grants"),
    path("grants/<public_id>/revoke/", grant_pages.revoke, name="revoke_grant"),
]
