"""A stand-in for the program `az`, with what a test has it answer, and what it was asked."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = """#!{python}
import json, os, pathlib, signal, sys, time

folder = pathlib.Path({folder!r})
with (folder / "asked").open("a") as asked:
    print(json.dumps(sys.argv[1:]), file=asked)
told = json.loads((folder / "told.json").read_text())
sys.stdout.write(told["out"])
sys.stderr.write(told["err"])
sys.stdout.flush()
if told["hangs"]:
    if os.fork():
        (folder / "pids").write_text(f"{{os.getpid()}}")
    signal.pause()
sys.exit(told["code"])
"""


@dataclass(frozen=True)
class Az:
    folder: Path

    def __post_init__(self) -> None:
        self.folder.mkdir()
        program = self.folder / "az"
        program.write_text(_PROGRAM.format(python=sys.executable, folder=str(self.folder)))
        program.chmod(0o755)
        (self.folder / "asked").touch()

    def answers(
        self, out: object = "", err: str = "", code: int = 0, *, hangs: bool = False
    ) -> None:
        text = out if isinstance(out, str) else json.dumps(out)
        told = {"out": text, "err": err, "code": code, "hangs": hangs}
        (self.folder / "told.json").write_text(json.dumps(told))

    def issues(self, token: str, expires_on: float) -> None:
        """As `az` 2.54 and newer do."""
        self.answers(
            {
                "accessToken": token,
                "expiresOn": "2001-01-01 00:00:00.000000",
                "expires_on": int(expires_on),
                "tenant": "a-tenant",
                "tokenType": "Bearer",
            }
        )

    def signs_in(self) -> Path:
        """Its folder of configuration, in which it says that somebody did. It begins with a BOM."""
        profile = {"installationId": "1", "subscriptions": [{"id": "1", "isDefault": True}]}
        configuration = self.folder / "azure"
        configuration.mkdir()
        (configuration / "azureProfile.json").write_text(json.dumps(profile), "utf-8-sig")
        return configuration

    @property
    def asked(self) -> list[list[str]]:
        return [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]
