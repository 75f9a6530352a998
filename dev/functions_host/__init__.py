"""A stand-in for the Azure Functions host around the real Python worker library.

Real: indexing of `function_app.py`, decoding and encoding of bindings, thread pool, coroutines,
context and failures, because `azure_functions_runtime` is what production runs. Stand-in: routing,
HTTP to `RpcHttp` and back, timers and `/admin/functions/{name}`, written after the host's sources.
"""
