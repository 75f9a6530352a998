"""What the demonstration prints: one line a step, with the time it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Step:
    """`result` is what the step has to show, filled in while it runs."""

    result: str = ""


class Steps:
    def __init__(self) -> None:
        self._began = time.perf_counter()

    @contextmanager
    def step(self, who: str, what: str) -> Iterator[Step]:
        """Nothing is printed of a step that fails: its error is."""
        began, step = time.perf_counter(), Step()
        yield step
        took = 1e3 * (time.perf_counter() - began)
        print(f"{self.seconds:7.2f} s {took:8.0f} ms  {who:<9} {what:<31} {step.result}".rstrip())

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began
