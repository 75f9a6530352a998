"""A page from which people talk to an agent: serves it, and tells it where everything is.

    python examples/web_client/serve.py

Nothing here is secret: a page can keep none. `LKPS_*` and `AZURE_TENANT_ID` say where LKPS and
Entra ID are, `WEB_CLIENT_ID` which application the page is, `WEB_AGENTS` whom it offers to talk to.
"""

import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web

HERE = Path(__file__).parent
PACKAGES = Path(os.environ.get("WEB_PACKAGES", HERE.parents[1] / "dev/node_modules"))
LIBRARIES = {
    "/lib/msal-browser.js": PACKAGES / "@azure/msal-browser/lib/msal-browser.min.js",
    "/lib/livekit-client.js": PACKAGES / "livekit-client/dist/livekit-client.umd.js",
}
PORT = int(os.environ.get("WEB_PORT", "3000"))

# Where LiveKit is, LKPS says; without encryption it can be on this machine only.
_CONNECTIONS = "https: wss: http://127.0.0.1:* ws://127.0.0.1:*"
HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    f" img-src 'self'; connect-src 'self' {_CONNECTIONS}; worker-src blob:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def configuration(environ: Mapping[str, str]) -> dict[str, object]:
    """What the page asks for; raises KeyError for what is missing."""
    return {
        "lkpsUrl": environ["LKPS_URL"].rstrip("/"),
        "apiClientId": environ["LKPS_API_CLIENT_ID"],
        "authority": environ.get("LKPS_AUTHORITY", "https://login.microsoftonline.com"),
        "tenantId": environ["AZURE_TENANT_ID"],
        "clientId": environ["WEB_CLIENT_ID"],
        "agents": environ.get("WEB_AGENTS", "echo").split(","),
    }


def site(configured: Mapping[str, object]) -> web.Application:
    async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(HEADERS)

    async def send_configuration(_: web.Request) -> web.Response:
        return web.json_response(configured)

    def sends(file: Path) -> Callable[[web.Request], Awaitable[web.FileResponse]]:
        async def send(_: web.Request) -> web.FileResponse:
            return web.FileResponse(file)

        return send

    app = web.Application()
    app.on_response_prepare.append(add_headers)
    app.router.add_get("/config.json", send_configuration)
    app.router.add_get("/", sends(HERE / "page/index.html"))
    for path, file in LIBRARIES.items():
        app.router.add_get(path, sends(file))
    app.router.add_static("/", HERE / "page")
    return app


if __name__ == "__main__":
    try:
        served = site(configuration(os.environ))
    except KeyError as missing:
        sys.exit(f"web_client: {missing.args[0]} is missing in the environment")
    print(f"open http://127.0.0.1:{PORT}", flush=True)
    web.run_app(served, host="127.0.0.1", port=PORT, print=None)
