"""The Django bank: one process, one address on 127.0.0.1, one data folder.

Standard output carries exactly one line, when the bank is open; everything else goes to standard error.
"""

import argparse
import json
import random
import secrets
import signal
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # the clone stays as it was checked out

ID = "django-bank"
HOST = "127.0.0.1"


def main():
    asked = argparse.ArgumentParser(description="A bank on django-oauth-toolkit, to test against.")
    asked.add_argument("--data", type=Path, required=True, help="folder of its own; made where it is missing")
    asked.add_argument("--keep-refresh", action="store_true", help="a refresh gives the same refresh token again")
    asked.add_argument("--openid", action="store_true", help="also signs id_tokens and serves UserInfo")
    asked.add_argument("--plain-too", action="store_true", help="also takes and lists the PKCE method plain")
    asked = asked.parse_args()
    asked.data.mkdir(mode=0o700, parents=True, exist_ok=True)

    server = listen(asked.data / "port")

    import settings

    settings.configure(
        asked.data,
        server.server_port,
        remembered(asked.data / "key", lambda: secrets.token_urlsafe(48)),
        remembered(asked.data / "signing-key", settings.make_signing_key) if asked.openid else None,
        asked,
    )

    from django.core.wsgi import get_wsgi_application

    server.set_app(get_wsgi_application())
    import books

    books.open(ID)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    issuer = f"http://{HOST}:{server.server_port}/o"
    print(json.dumps({"ready": True, "id": ID, "issuer": issuer, "port": server.server_port}), flush=True)
    with server:
        server.serve_forever()


def listen(file):
    """Takes the port that this folder had before, else one below the range that systems lend to others."""
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    if file.exists():
        return ThreadedWSGIServer((HOST, int(file.read_text())), WSGIRequestHandler)
    for port in random.sample(range(17000, 30000), 50):
        try:
            server = ThreadedWSGIServer((HOST, port), WSGIRequestHandler)
        except OSError:
            continue
        file.write_text(str(port))
        return server
    sys.exit("no port is free")


def remembered(file, make):
    """A secret of this folder's own, so that sessions and signatures outlive the process."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(make())
    return file.read_text()


if __name__ == "__main__":
    main()
