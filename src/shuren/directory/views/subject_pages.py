"""Pages of people's rights in their own data: see whose it is and take a copy."""

import io
import json
import zipfile

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shuren.directory.rules.subject_data import subject_sections
from shuren.directory.selectors.consents import askings_of
from shuren.directory.services.subjects import give_subject_data
from shuren.directory.views.asked import actor_in, now, person_id_in
from shuren.directory.views.words import SECTIONS
from shuren.kernel.doors import sensitive_files


def my_data(request: HttpRequest) -> HttpResponseBase:
    """The reader and their children: take a copy, or ask for a correction or a deletion."""
    actor, moment = actor_in(request), now()
    people = [(asking.person, asking.is_self) for asking in askings_of(actor=actor, now=moment)]
    return render(request, "directory/my_data.html", {"title": _("我的信息"), "people": people})


@sensitive_files()
@require_POST
def download(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Everything on file as a ZIP: JSON for programs, a page for people."""
    data = give_subject_data(actor=actor_in(request), person_id=person_id_in(public_id), now=now())
    titles = SECTIONS | {section.name: section.title for section in subject_sections()}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("data.json", json.dumps(data, ensure_ascii=False, indent=2))
        person, sections = data["person"], [(titles.get(name, name), rows) for name, rows in data.items() if name != "person"]
        context = {"person": person, "sections": sections}
        package.writestr("data.html", render_to_string("directory/subject_data.html", context))
    response = HttpResponse(file.getvalue(), content_type="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="data-{public_id}.zip"'
    response.headers["Cache-Control"] = "no-store"
    return response
