"""What evaluation keeps of a person, for their own copy: the scores of every finished run."""

from shuren.evaluation.data import RunStatus
from shuren.evaluation.models import EvaluationRun
from shuren.evaluation.selectors.runs import KIND
from shuren.evaluation.selectors.scores import scores_of
from shuren.kernel import ids


def scores_kept(person_id: int) -> list[dict[str, object]]:
    """One row per finished run in which the person was scored; scores and their errors in logits."""
    found: list[dict[str, object]] = []
    for run in EvaluationRun.objects.filter(status=RunStatus.DONE).order_by("-pk"):
        domains = list(run.calibration["domains"])
        columns = ["eap", "eap_se"] + [f"domain{at}_{part}" for at in range(1, len(domains) + 1) for part in ("eap", "se")]
        for row in scores_of(run.pk, columns=columns, person_ids=[person_id]).to_pylist():
            scores = {"score": row["eap"], "score_error": row["eap_se"]}
            for at, domain in enumerate(domains, start=1):
                scores |= {domain: row[f"domain{at}_eap"], f"{domain}_error": row[f"domain{at}_se"]}
            found.append({"run": ids.encode(KIND, run.pk), "title": run.title, **scores})
    return found
