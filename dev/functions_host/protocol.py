"""The messages between host and worker, in the shape of the host's FunctionRpc.proto.

The worker library takes its message classes from whoever starts it, so no protobuf is needed:
it asks for names, keyword arguments and `WhichOneof`, and nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar


@dataclass(slots=True)
class TypedData:
    """One value of one kind; no kind at all is an empty message."""

    http: "RpcHttp | None" = None
    bytes: "bytes | None" = None
    string: str | None = None
    json: str | None = None
    int: "int | None" = None
    double: float | None = None

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802 - protobuf's name
        return next((kind for kind in self.__slots__ if getattr(self, kind) is not None), None)


@dataclass(slots=True)
class RpcHttp:
    """A request on the way to the worker, a response on the way back."""

    method: str = ""
    url: str = ""
    headers: Mapping[str, str] | None = None
    params: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None
    body: TypedData | None = None
    status_code: str = ""
    cookies: "Sequence[RpcHttpCookie] | None" = None
    enable_content_negotiation: bool = False


@dataclass(slots=True)
class ParameterBinding:
    name: str
    data: TypedData

    def WhichOneof(self, _group: str) -> str:  # noqa: N802 - protobuf's name
        return "data"


@dataclass(slots=True)
class Nullable[T]:
    value: T


@dataclass(slots=True)
class Timestamp:
    seconds: int


@dataclass(slots=True)
class RpcHttpCookie:
    SameSite: ClassVar = SimpleNamespace(**{"None": 0}, Lax=1, Strict=2, ExplicitNone=3)

    name: str
    value: str
    domain: Nullable[str] | None
    path: Nullable[str] | None
    expires: Nullable[Timestamp] | None
    secure: Nullable[bool] | None
    http_only: Nullable[bool] | None
    same_site: int
    max_age: Nullable[float] | None


@dataclass(slots=True)
class RpcException:
    message: str
    stack_trace: str


@dataclass(slots=True)
class StatusResult:
    Failure: ClassVar = 0
    Success: ClassVar = 1

    status: int
    exception: RpcException | None = None


@dataclass(slots=True)
class InvocationResponse:
    """`return_value` is absent when the function has no return binding, or failed."""

    invocation_id: str
    result: StatusResult
    return_value: TypedData | None = None
    output_data: Sequence[ParameterBinding] = ()

    @property
    def failure(self) -> RpcException | None:
        return self.result.exception


def _namespace(name: str, **constants: int) -> type[SimpleNamespace]:
    return type(name, (SimpleNamespace,), constants)


PROTOS = SimpleNamespace(
    TypedData=TypedData,
    RpcHttp=RpcHttp,
    RpcHttpCookie=RpcHttpCookie,
    ParameterBinding=ParameterBinding,
    NullableString=Nullable,
    NullableBool=Nullable,
    NullableDouble=Nullable,
    NullableTimestamp=Nullable,
    Timestamp=Timestamp,
    RpcException=RpcException,
    StatusResult=StatusResult,
    InvocationResponse=InvocationResponse,
    # the directions of a binding that the library compares with
    BindingInfo=_namespace("BindingInfo", out=1, inout=2),
    RpcFunctionMetadata=_namespace("RpcFunctionMetadata"),
    RpcRetryOptions=_namespace("RpcRetryOptions"),
    WorkerMetadata=_namespace("WorkerMetadata"),
    WorkerInitResponse=_namespace("WorkerInitResponse"),
    FunctionMetadataResponse=_namespace("FunctionMetadataResponse"),
    FunctionLoadResponse=_namespace("FunctionLoadResponse"),
)
