"""One process or many, CPU or GPU: what accelerate knows about it, and the numbers that processes share."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from vidstyle.core.errors import UsageError
from vidstyle.training.log import Sums


class Processes:
    """The processes that `torchrun` (or `accelerate launch`) started; one, which needs no accelerate, where none did.

    Raises:
        UsageError: there are several and accelerate is not installed.
    """

    def __init__(self) -> None:
        self.device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
        self.rank, self.count = 0, 1
        self._accelerator: Any = None
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return
        if not find_spec("accelerate"):
            raise UsageError(
                "training in several processes needs accelerate: install it with `pip install 'vidstyle[train]'`."
            )
        from accelerate import Accelerator  # type: ignore[import-untyped]
        from accelerate.utils import DistributedDataParallelKwargs  # type: ignore[import-untyped]

        self._options = DistributedDataParallelKwargs()
        # Without being told, accelerate takes torchrun's processes on CPUs (gloo) for strangers to each other.
        cpu = not torch.accelerator.is_available()
        self._accelerator = Accelerator(cpu=cpu, kwargs_handlers=[self._options])
        self.device = self._accelerator.device
        self.rank = self._accelerator.process_index
        self.count = self._accelerator.num_processes

    @property
    def first(self) -> bool:
        """Whether this process writes files."""
        return self.rank == 0

    def wrap(self, module: nn.Module, partly: bool) -> nn.Module:
        """`module` with gradients that are averaged over all processes (DistributedDataParallel); itself where there is one.

        Args:
            partly: some of its parameters get no gradient.
        """
        if self._accelerator is None:
            return module
        self._options.find_unused_parameters = partly
        wrapped: nn.Module = self._accelerator.prepare_model(module)
        return wrapped

    def hold(self, module: nn.Module) -> AbstractContextManager[Any]:
        """A context in which gradients of a wrapped module are collected, not yet averaged."""
        if self._accelerator is None:
            return nullcontext()
        held: AbstractContextManager[Any] = self._accelerator.no_sync(module)
        return held

    def mean(self, value: Tensor) -> Tensor:
        """Mean over all processes, without a gradient."""
        if self._accelerator is None:
            return value.detach()
        mean: Tensor = self._accelerator.reduce(value.detach(), "mean")
        return mean

    def any(self, flag: bool) -> bool:
        """Whether any process says yes: what one decides by its clock, all must decide alike."""
        if self.count == 1:
            return flag
        return bool(self.mean(torch.tensor(float(flag), device=self.device)) > 0)

    def gather(self, sums: Sums) -> list[Sums]:
        """The sums of every process."""
        if self.count == 1:
            return [sums]
        from accelerate.utils import gather_object

        every: list[Sums] = gather_object([sums])
        return every

    def wait(self) -> None:
        """Until all are here."""
        if self._accelerator is not None:
            self._accelerator.wait_for_everyone()
