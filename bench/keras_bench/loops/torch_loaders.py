"""The numbers that `fit` draws on torch beside the training: each loader of data draws one.

Layers without a seed draw from the same generator, so that what they drop depends on it.
"""

from typing import Any

import torch


class LoadersOfFit:
    """Draws as the loaders that `fit` makes: one at each epoch's begin, and one at its end."""

    def __init__(self, model: Any) -> None:
        self._in_epoch = False
        if int(model.optimizer.iterations) == 0:
            # Where `fit` builds what is trained for the first time, it looks at a batch.
            _make_loader()

    def begin_epoch(self) -> None:
        """Draw, unless the epoch has begun already."""
        if not self._in_epoch:
            _make_loader()
            self._in_epoch = True

    def end_epoch(self) -> None:
        """Draw, unless the epoch has ended already."""
        if self._in_epoch:
            _make_loader()
            self._in_epoch = False

    def break_off(self) -> None:
        """Leave an epoch in which something was raised."""
        self._in_epoch = False


def _make_loader() -> None:
    """Draw the number that `torch.utils.data.DataLoader` draws, shuffling or not."""
    torch.empty((), dtype=torch.int64).random_()
