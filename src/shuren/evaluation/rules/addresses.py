"""Addresses of the pages of this app."""

from django.urls import reverse


def runs_address() -> str:
    return reverse("evaluation:runs")


def run_address(run_public_id: str) -> str:
    return reverse("evaluation:run", args=[run_public_id])


def report_address(run_public_id: str, org_public_id: str) -> str:
    return reverse("evaluation:report", args=[run_public_id, org_public_id])


def pupil_address(run_public_id: str, person_public_id: str) -> str:
    return reverse("evaluation:pupil", args=[run_public_id, person_public_id])


def file_address(run_public_id: str, org_public_id: str, form: str) -> str:
    return reverse("evaluation:report_file", args=[run_public_id, org_public_id, form])


def pupil_file_address(run_public_id: str, person_public_id: str, form: str) -> str:
    return reverse("evaluation:pupil_file", args=[run_public_id, person_public_id, form])
