"""The local platform: LKPS on real parts, started, described and ended as one."""

from dev.platform.part import Part, PartFailed
from dev.platform.platform import Platform
from dev.platform.starting import running

__all__ = ["Part", "PartFailed", "Platform", "running"]
