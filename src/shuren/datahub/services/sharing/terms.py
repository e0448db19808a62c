"""The owner says how far a dataset is shared."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from shuren.datahub.data import SharingAttribute
from shuren.datahub.models import SharingTerms
from shuren.datahub.rules.sharing import check_terms
from shuren.datahub.selectors.shared_datasets import columns_of_shared, shared_dataset
from shuren.datahub.selectors.sharing import decides_for
from shuren.kernel import audit
from shuren.kernel.data import Actor
from shuren.kernel.errors import NotFound


@transaction.atomic
def set_terms(*, actor: Actor, dataset: str, attribute: SharingAttribute, ground: str, now: datetime) -> None:
    """Set a dataset's attribute; once it is not shared, its grants give nothing any more and nothing is approved."""
    found = shared_dataset(dataset)
    if not decides_for(found.owner.id, actor=actor, now=now):
        raise NotFound(_("没有找到这个数据集。"))
    check_terms(attribute, ground, columns_of_shared(found.spec).values())
    text = ground.strip()[:500]
    told = {"attribute": attribute.value, "ground": text, "changed_at": now}
    SharingTerms.objects.update_or_create(dataset=dataset, defaults=told)
    audit.record(
        actor=actor,
        action="datahub.sharing_terms_set",
        target=f"sharing_terms:{dataset}",
        details={"before": found.terms.attribute.value, "after": attribute.value, "ground": text},
        now=now,
    )
