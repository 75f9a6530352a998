"""The doctor: what stands between this machine and a call, step by step, with a way to mend it."""

from lkps.doctor.examination import examine
from lkps.doctor.findings import Finding, State
from lkps.doctor.patient import Patient

__all__ = ["Finding", "Patient", "State", "examine"]
