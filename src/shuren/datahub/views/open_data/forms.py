"""What is asked about an opening: words for the public, and for every column what becomes of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shuren.datahub.data import OpenColumn, OpenDeclaration, OpenFacts, OpenShape, OpenTreatment, OpenWords
from shuren.datahub.rules.open_data.columns import treatments_for
from shuren.datahub.views.open_data.words import LICENCES, SHAPES, TREATMENTS
from shuren.directory.data import OrgData

_COLUMN = "column_"


class OpeningForm(forms.Form):
    """The declaration of a dataset's columns and the words beside it."""

    title_zh = forms.CharField(label=gettext_lazy("标题"), max_length=200)
    title_en = forms.CharField(label=gettext_lazy("英文标题"), max_length=200, required=False)
    description = forms.CharField(
        label=gettext_lazy("说明"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("数据说的是什么、是哪一天的、怎样汇总的。"),
    )
    keywords = forms.CharField(
        label=gettext_lazy("关键词"), max_length=200, required=False, help_text=gettext_lazy("用空格分开。")
    )
    licence = forms.ChoiceField(label=gettext_lazy("许可"), widget=forms.RadioSelect)
    note = forms.CharField(label=gettext_lazy("这一版改了什么"), max_length=300, required=False)
    shape = forms.ChoiceField(label=gettext_lazy("公开成什么样"), widget=forms.RadioSelect)
    where = forms.CharField(
        label=gettext_lazy("只取这些行"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("每行一个条件，写成 列名=值，例如 role=pupil。"),
    )
    suppresses = forms.BooleanField(
        label=gettext_lazy("太小的组不公开"),
        required=False,
        help_text=gettext_lazy("同一合计下再多留空一组，使合计减不出它来。"),
    )
    has_totals = forms.BooleanField(label=gettext_lazy("附上合计"), required=False)
    epsilon = forms.CharField(
        label=gettext_lazy("给人数加噪的 ε"),
        max_length=5,
        required=False,
        help_text=gettext_lazy("0.01 到 10，越小越保护人，数也越不准；不填就不加噪。"),
    )

    org = forms.ChoiceField(label=gettext_lazy("以哪个单位的名义"), help_text=gettext_lazy("公开的只是它范围内的行。"))

    def __init__(
        self,
        *args: Any,
        facts: Mapping[str, OpenFacts],
        titles: Mapping[str, str],
        orgs: Sequence[OrgData],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.facts = facts
        if orgs:
            self.fields["org"].choices = [(org.public_id, org.name) for org in orgs]  # type: ignore[attr-defined]
        else:
            del self.fields["org"]
        self.fields["licence"].choices = list(LICENCES.items())  # type: ignore[attr-defined]
        self.fields["shape"].choices = [(shape.value, text) for shape, text in SHAPES.items()]  # type: ignore[attr-defined]
        for name, one in facts.items():
            offered = treatments_for(one)
            if offered:
                choices = [("", _("不公开")), *((each.value, TREATMENTS[each]) for each in offered)]
                title = titles.get(name) or (_("所在单位") if one.is_place else "")
                label = f"{title}（{name}）" if title else name
                self.fields[_COLUMN + name] = forms.ChoiceField(label=label, choices=choices, required=False)

    def clean_where(self) -> dict[str, str]:
        found = {}
        for line in str(self.cleaned_data["where"]).splitlines():
            name, equals, value = (part.strip() for part in line.partition("="))
            if not line.strip():
                continue
            if not equals or name not in self.facts:
                raise forms.ValidationError(_("“%(line)s”不是“列名=值”的写法。") % {"line": line.strip()[:60]})
            found[name] = value[:100]
        return found

    def declaration(self, dataset: str) -> OpenDeclaration:
        """Places come first: totals are those of places before those of anything within."""
        told = self.cleaned_data
        chosen = [(name, told.get(_COLUMN + name)) for name in self.facts]
        columns = [OpenColumn(name, OpenTreatment(treatment)) for name, treatment in chosen if treatment]
        columns.sort(key=lambda column: not self.facts[column.name].is_place)
        return OpenDeclaration(
            dataset=dataset,
            columns=tuple(columns),
            shape=OpenShape(told["shape"]),
            where=told["where"],
            suppresses=told["suppresses"],
            has_totals=told["has_totals"],
            epsilon=told["epsilon"].strip(),
        )

    def words(self) -> OpenWords:
        told = self.cleaned_data
        names = ("title_zh", "title_en", "description", "licence")
        return OpenWords(**{name: told[name] for name in names}, keywords=tuple(told["keywords"].split()[:20]))


class ReasonForm(forms.Form):
    """Why something is sent back or withdrawn; of a withdrawal the public reads it."""

    reason = forms.CharField(label=gettext_lazy("原因"), max_length=300)


def initial_of(declaration: OpenDeclaration | None, titles: Mapping[str, Any]) -> dict[str, object]:
    """What the form shows of a version that is changed or followed by another."""
    if declaration is None:
        return {"licence": "CC-BY-4.0", "shape": OpenShape.GROUPS.value}
    found: dict[str, object] = {_COLUMN + column.name: column.treatment.value for column in declaration.columns}
    found |= {name: titles[name] for name in ("title_zh", "title_en", "description", "licence")}
    found |= {name: getattr(declaration, name) for name in ("suppresses", "has_totals", "epsilon")}
    return found | {
        "shape": declaration.shape.value,
        "keywords": " ".join(titles["keywords"]),
        "where": "\n".join(f"{name}={value}" for name, value in declaration.where.items()),
    }
