"""What LiveKit tells: believed when it is signed, and a reason to look."""

from lkps_core.api.http import Request, Response
from lkps_core.errors import BodyTooLarge
from lkps_core.services import Services

BODY_LIMIT = 256 * 1024


async def webhook(services: Services, request: Request) -> Response:
    """200 for whatever was signed. LiveKit sends it again where it is answered 503."""
    if len(request.body) > BODY_LIMIT:
        raise BodyTooLarge(f"At most {BODY_LIMIT} bytes are accepted here.")
    authorization = request.headers.get("authorization")
    event = services.events.read(request.body, authorization, services.clock())
    if event is not None:
        await services.checkup.heard(event)
        await services.watching.heard(event)
    return Response(200)
