"""What the SDK relies on in livekit-agents."""

import pytest
from livekit import agents

from lkps.compatibility import require_compatible
from lkps.errors import ConfigurationError


def test_the_installed_livekit_agents_fits() -> None:
    require_compatible()


def test_a_livekit_agents_that_changed_is_one_clear_error() -> None:
    class Changed(agents.AgentServer):
        async def _connection_task(self) -> None:
            return

        async def _answer_availability(self, *_: object, **__: object) -> None:
            async def accept() -> None:
                await self._proc_pool.start()

    with pytest.raises(ConfigurationError) as caught:
        require_compatible(Changed)

    assert f"livekit-agents {agents.__version__} does not fit" in str(caught.value)
    assert "_connection_task:_deployment" in str(caught.value)
    assert "_answer_availability:launch_job" in str(caught.value)
    assert "_answer_availability:_proc_pool" not in str(caught.value)
