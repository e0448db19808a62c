"""What an E-step asks of answers, wherever they lie and by whatever they are reckoned."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from edmeasure._validate import FloatArray, IntArray
from edmeasure.calibration._packing import PackedResponses

Expected = tuple[FloatArray, float, FloatArray]
"""Expected answers (n_categories, n_nodes), log-likelihood, expected persons (n_groups, n_nodes)."""


class Evidence(ABC):
    """Answers of one or more groups of persons."""

    @property
    @abstractmethod
    def category_start(self) -> IntArray:
        """Offset of every item's first category on the flat axis, and the total."""

    @abstractmethod
    def expect_groups(self, log_probs: FloatArray, priors: FloatArray) -> Expected:
        """E-step under log P(category | node) with node weights ``priors`` (n_groups, n_nodes)."""

    def expect(self, log_probs: FloatArray, prior: FloatArray) -> tuple[FloatArray, float]:
        """The same for one group."""
        counts, loglik, _ = self.expect_groups(log_probs, prior[None, :])
        return counts, loglik


@dataclass(frozen=True, eq=False)
class PackedGroups(Evidence):
    """Packed answers of every group, all of them in memory."""

    packed: tuple[PackedResponses, ...]

    @property
    def category_start(self) -> IntArray:
        return self.packed[0].category_start

    def expect_groups(self, log_probs: FloatArray, priors: FloatArray) -> Expected:
        counts = np.zeros_like(log_probs)
        persons = np.zeros(priors.shape)
        loglik = 0.0
        for packed, prior, mass in zip(self.packed, priors, persons, strict=True):
            of_group, value = packed.expect(log_probs, prior, persons=mass)
            counts += of_group
            loglik += value
        return counts, loglik, persons
