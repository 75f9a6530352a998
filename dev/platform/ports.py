"""Free ports of this machine's loopback."""

import secrets
import socket

HOST = "127.0.0.1"
# Below those that outgoing connections take (Linux 32768, macOS 49152 and up): so a part that is
# down finds its port free again, and nobody who calls it meanwhile connects to themselves.
_FIRST, _COUNT = 20_000, 10_000


class Ports:
    """Gives each port once."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def free(self, prefer: int | None = None) -> int:
        """A port that is free for TCP and UDP: `prefer` if it is."""
        port = _FIRST + secrets.randbelow(_COUNT) if prefer is None else prefer
        while port in self._given or not is_free(port):
            port = _FIRST + secrets.randbelow(_COUNT)
        self._given.add(port)
        return port


def is_free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        # As servers do: what an ended connection left in TIME_WAIT is no hindrance.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((HOST, port))
            tcp.listen()
            udp.bind((HOST, port))
        except OSError:
            return False
        return True


def is_answering(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0
