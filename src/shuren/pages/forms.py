"""What people send to keep a view of a list."""

from django import forms
from django.urls import Resolver404, resolve
from django.utils.translation import gettext_lazy as _

from shuren.pages.data import NewView
from shuren.pages.models import SavedView
from shuren.pages.rules.saved_views import clean_query


class SaveViewForm(forms.Form):
    """A name, and the list as it stands in the address of its page."""

    name = forms.CharField(
        label=_("名称"),
        max_length=SavedView.NAME_LIMIT,
        error_messages={"required": _("请给视图起个名字。")},
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    list = forms.SlugField(max_length=60, widget=forms.HiddenInput)
    title = forms.CharField(max_length=100, widget=forms.HiddenInput)
    path = forms.CharField(max_length=300, widget=forms.HiddenInput)
    query = forms.CharField(max_length=SavedView.QUERY_LIMIT, required=False, widget=forms.HiddenInput)

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        try:
            resolve(path)
        except Resolver404 as error:
            raise forms.ValidationError(_("没有这张列表。")) from error
        return path

    def clean_query(self) -> str:
        query = clean_query(self.cleaned_data["query"])
        if query is None:
            raise forms.ValidationError(_("筛选条件太多，没有保存。"))
        return query

    def view(self) -> NewView:
        data = self.cleaned_data
        return NewView(
            name=data["name"], list_name=data["list"], list_title=data["title"], path=data["path"], query=data["query"]
        )
