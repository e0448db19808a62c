"""Addresses of sign-in, the own account and credentials."""

from django.urls import path

from shuren.identity.views import account, credentials, sign_in

app_name = "identity"
urlpatterns = [
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("role/", account.switch_role, name="switch_role"),
    path("account/", account.account, name="account"),
    path("account/password/", account.change_password, name="change_password"),
    path("account/sessions/<str:sign_in_id>/end/", account.end_session, name="end_session"),
    path("account/sessions/end-others/", account.end_other_sessions, name="end_other_sessions"),
    path("credentials/", credentials.credentials, name="credentials"),
    path("credentials/<str:org_id>/", credentials.credentials_of_org, name="credentials_of_org"),
    path("credentials/<str:org_id>/issue/<str:form>/", credentials.issue, name="issue_credentials"),
]
