"""A language model of a few rules: what is asked has one answer."""

from typing import Any, Never

from livekit.agents import APIConnectOptions, NotGivenOr, llm, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN

from .answers import ANSWERS, UNKNOWN


class LLM(llm.LLM[Never]):
    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return _Answer(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Answer(llm.LLMStream):
    async def _run(self) -> None:
        answer = ANSWERS.get(_asked(self.chat_ctx), UNKNOWN)
        delta = llm.ChoiceDelta(role="assistant", content=answer)
        self._event_ch.send_nowait(llm.ChatChunk(id=utils.shortuuid(), delta=delta))


def _asked(chat_ctx: llm.ChatContext) -> str:
    said = [item for item in chat_ctx.items if item.type == "message" and item.role == "user"]
    return (said[-1].text_content or "").lower().strip(" .?!") if said else ""
