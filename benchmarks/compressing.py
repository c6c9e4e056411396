"""What stands in front of the portal in production, as far as a page's size goes: it compresses what it passes on."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urljoin

import requests

PASSED_ON = ("Cookie", "Accept", "Accept-Language")


@contextmanager
def in_front_of(site_url: str) -> Iterator[str]:
    """The address at which pages of `site_url` are had compressed."""

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            answer = requests.get(urljoin(site_url, self.path), headers=headers, timeout=15, allow_redirects=False)
            body = gzip.compress(answer.content)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_address[1]}"
        finally:
            server.shutdown()
