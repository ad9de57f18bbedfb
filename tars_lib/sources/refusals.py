"""Refusals while a root is read: raised, or kept so that the rest is looked at too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from tars_lib.errors import InputError, NoRepositoriesError, TarsError
from tars_lib.model.admission import admit
from tars_lib.model.count_checks import Groups
from tars_lib.model.history import History
from tars_lib.model.metrics import Metric
from tars_lib.model.samples import AnySamples, merge

_T = TypeVar("_T")
_ROUNDS = 50
"""How often the gate is asked again without what it refused; judgement: it has seven checks, and some stop at a metric."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Keeps refusals in a list; without one it raises them."""

    refusals: list[TarsError] | None

    @property
    def is_clean(self) -> bool:
        """Return whether nothing has been refused yet."""
        return not self.refusals

    def attempt(self, read: Callable[[], _T]) -> _T | None:
        """Return what is read; None where it is refused and that is kept.

        Raises
        ------
        TarsError
            As `read` does, if refusals are not kept.
        """
        try:
            return read()
        except TarsError as error:
            if self.refusals is None:
                raise
            # where files were refused, that there is no repo follows from it
            if self.is_clean or not isinstance(error, NoRepositoriesError):
                self.refusals.append(error)
            return None

    def admitted(self, samples: AnySamples, metrics: Mapping[str, Metric], groups: Groups) -> History:
        """Return the history of samples; rows that the gate refuses are kept as refusals and left out.

        Raises
        ------
        InputError
            As `admit` does, if refusals are not kept.
        """
        if self.refusals is None:
            return admit(samples, metrics, groups)
        whole = merge(tuple(samples.parts()))
        value = whole.value.copy()
        for number in range(_ROUNDS):
            try:
                history = admit(replace(whole, value=value), metrics, groups)
            except InputError as error:
                self.refusals.append(error)
                if not error.rows:
                    break
                value[list(error.rows)] = np.nan
            else:
                # what was left out here is no missing sample of the user's
                return history if number == 0 else replace(history, notes=())
        return replace(admit(replace(whole, value=np.full(value.size, np.nan)), metrics, groups), notes=())
