"""A real HTTP server for tests, with TLS or without, and faulty on request. It has
a directory of its own: it reads setup.json there at each request, and notes each
in events.jsonl, always before the client gets its answer. Signatures are checked
as Standard Webhooks has them, with Python's hmac.

    http_server.py DIRECTORY    prints the TCP port it chose
"""

import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import ssl
import sys
import time

LONGER_THAN_ANY_TEST = 3600
DIRECTORY = pathlib.Path(sys.argv[1])
EVENTS = open(DIRECTORY / "events.jsonl", "ab", buffering=0)


def is_signed(setup, headers, body):
    """Whether the signature is right; None where there is no secret."""
    if setup.get("secret") is None:
        return None
    content = b".".join(
        [
            headers.get("webhook-id", "").encode(),
            headers.get("webhook-timestamp", "").encode(),
            body,
        ]
    )
    mac = hmac.new(setup["secret"].encode(), content, hashlib.sha256).digest()
    wanted = "v1," + base64.b64encode(mac).decode()
    return hmac.compare_digest(wanted, headers.get("webhook-signature", ""))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.do_POST()

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            # The client was killed on the way: that was no post.
            self.close_connection = True
            return
        setup = json.loads((DIRECTORY / "setup.json").read_text())
        headers = {name.lower(): value for name, value in self.headers.items()}
        event = {
            "method": self.command,
            "path": self.path,
            "headers": headers,
            "body": body.decode(),
            "signed": is_signed(setup, headers, body),
        }
        # One write for the line and its end, so that a reader never sees a half.
        EVENTS.write(json.dumps(event).encode() + b"\n")
        self.close_connection = True
        getattr(self, "answer_" + setup["answer"])(setup)

    def send_head(self, status, length, **headers):
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def answer_status(self, setup):
        text = setup.get("text", "").encode()
        self.send_head(setup["status"], len(text), **setup.get("headers", {}))
        self.wfile.write(text)

    def answer_echo(self, setup):
        """Repeats all that it was told, and the secret."""
        told = f"no: {setup['secret']} {self.path} {self.headers}".encode()
        self.send_head(401, len(told), X_Told=setup["secret"])
        self.wfile.write(told)

    def answer_flood(self, setup):
        """A hundred megabytes, as fast as they are taken."""
        self.send_head(500, 100 << 20)
        for _ in range(100):
            self.wfile.write(b"x" * (1 << 20))

    def answer_drip(self, setup):
        self.drip(b"HTTP/1.1 200 OK\r\nX-Long: ")

    def answer_drip_text(self, setup):
        self.drip(b"HTTP/1.1 500 Oh\r\nContent-Length: 99\r\n\r\n")

    def drip(self, head):
        self.wfile.write(head)
        for _ in range(LONGER_THAN_ANY_TEST):
            self.wfile.write(b"x")
            time.sleep(0.1)

    def answer_stall(self, setup):
        time.sleep(LONGER_THAN_ANY_TEST)

    def answer_hang_up(self, setup):
        pass

    def answer_babble(self, setup):
        self.wfile.write(b"220 mail.example.com ESMTP\r\n")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, address):
        """A client that has gone is no news."""


server = Server(("127.0.0.1", 0), Handler)
start = json.loads((DIRECTORY / "setup.json").read_text())
if start.get("certificate") is not None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(start["certificate"], start["key"])
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
print(server.server_port, flush=True)
server.serve_forever()
