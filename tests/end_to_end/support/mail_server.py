"""Real SMTP servers for tests: STARTTLS, AUTH, strict about what they take, and
faulty on request. Each has a directory of its own: it reads setup.json there,
and notes what happens in events.jsonl, always before the client gets its
answer: a test that runs after the client ended therefore sees everything. The
faults that a connection meets are those in setup.json when it begins.

    mail_server.py DIRECTORY    one server; prints the TCP port it chose
    mail_server.py              as many as are asked for, by mail_server.rs:
                                prints a TCP port, and whoever says a directory
                                there is told the port of a server for it, which
                                lasts as long as that connection
"""

import asyncio
import functools
import json
import pathlib
import re
import ssl
import sys

from aiosmtpd.smtp import DATA_SIZE_DEFAULT, SMTP, AuthResult

LONGER_THAN_ANY_TEST = 3600
LATENESS = 3


class Place:
    """The directory of one server."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.setup = self.read_setup()
        self.events = open(self.directory / "events.jsonl", "ab", buffering=0)
        self.stored = 0

    def read_setup(self):
        return json.loads((self.directory / "setup.json").read_text())

    def record(self, **event):
        # One write for the line and its end, so that a reader never sees a half.
        self.events.write(json.dumps(event).encode() + b"\n")

    def authenticate(self, server, session, envelope, mechanism, credentials):
        known = (self.setup["user"].encode(), self.setup["password"].encode())
        given = (credentials.login, credentials.password)
        # `handled=False` makes aiosmtpd answer with 535 when it is a failure.
        return AuthResult(success=given == known, handled=False, auth_data=credentials)


def complaint_about(message, mail_options):
    """What a strict relay would have against this message, or None."""
    if re.search(rb"(?<!\r)\n|\r(?!\n)", message):
        return "bare CR or LF (RFC 5321, 2.3.8)"
    if any(len(line) > 998 for line in message.split(b"\r\n")):
        return "line of more than 998 octets (RFC 5322, 2.1.1)"
    headers = message.partition(b"\r\n\r\n")[0]
    if not headers.isascii():
        return "8-bit characters in the headers (RFC 5322, 2.2)"
    if not message.isascii() and "BODY=8BITMIME" not in mail_options:
        return "8-bit characters without BODY=8BITMIME (RFC 6152)"
    return None


class Handler:
    """What aiosmtpd asks about while it speaks the protocol."""

    def __init__(self, place):
        self.place = place

    async def handle_EHLO(self, server, session, envelope, host, responses):
        session.host_name = host
        if not self.place.setup["offer_auth"]:
            responses = [line for line in responses if not line.startswith("250-AUTH")]
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        code = server.rejected.get(address)
        if code is not None:
            return f"{code} {code // 100}.1.1 <{address}>: no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        complaint = complaint_about(envelope.original_content, envelope.mail_options)
        if complaint is not None:
            return "554 5.6.0 " + complaint
        limit = server.size_limit
        if limit is not None and len(envelope.original_content) > limit:
            return "552 5.3.4 Message size exceeds fixed limit"
        # Whoever stops in the middle of the answer has the message; whoever
        # answers that it does not want it has not.
        if server.faults.get("message") in (None, "drop", "stall", "late"):
            self.store(server, session, envelope)
        return await server.fault_reply("message") or "250 2.0.0 OK: stored"

    def store(self, server, session, envelope):
        self.place.stored += 1
        file = self.place.directory / f"message-{self.place.stored}.eml"
        file.write_bytes(envelope.original_content)
        self.place.record(
            event="message",
            file=file.name,
            mail_from=envelope.mail_from,
            rcpt_tos=envelope.rcpt_tos,
            tls=server.is_encrypted(),
            user=session.auth_data.login.decode() if session.authenticated else None,
        )


class Server(SMTP):
    """One connection."""

    def __init__(self, place, **options):
        super().__init__(Handler(place), **options)
        self.place = place
        setup = place.read_setup()
        self.faults = setup["stages"]
        self.rejected = setup["rejected"]
        self.size_limit = setup["size_limit"]
        self.greeted = False
        # What the next line of the client is: "command", "secret" or "message".
        self.expected = "command"
        self.unread = b""

    def is_encrypted(self):
        return self.transport.get_extra_info("ssl_object") is not None

    async def fault_reply(self, stage):
        """The answer that the setup orders for this stage, if any. Does not
        return when it orders silence: aiosmtpd cancels this task as soon as
        the connection is gone."""
        fault = self.faults.get(stage)
        if fault == "drop":
            self.transport.abort()
        if fault == "late":
            await asyncio.sleep(LATENESS)
            return None
        if fault in ("drop", "stall"):
            await asyncio.sleep(LONGER_THAN_ANY_TEST)
        return fault

    async def push(self, status):
        if not self.greeted:
            self.greeted = True
            self.place.record(event="connection")
            fault = await self.fault_reply("connect")
            if fault is not None:
                await super().push(fault)
                self.transport.close()
                await asyncio.sleep(LONGER_THAN_ANY_TEST)
        code = status[:3] if isinstance(status, bytes) else status[:3].encode()
        self.expected = {b"334": "secret", b"354": "message"}.get(code, "command")
        await super().push(status)

    def data_received(self, data):
        # aiosmtpd refuses some commands before it asks anyone, among them all
        # that come too early; reading along sees those as well.
        *lines, self.unread = (self.unread + data).split(b"\r\n")
        for line in lines:
            self.read_along(line)
        super().data_received(data)

    def read_along(self, line):
        if self.expected == "message":
            if line == b".":
                self.expected = "command"
        elif self.expected == "secret":
            self.expected = "command"
        else:
            words = line.decode("utf-8", "backslashreplace").split(" ")
            words[0] = words[0].upper()
            if words[0] == "AUTH":
                # What follows the mechanism is the secret.
                words = words[:2]
            tls = self.is_encrypted()
            self.place.record(event="command", line=" ".join(words), tls=tls)


def with_fault(stage, command):
    @functools.wraps(command)
    async def faulty(self, arg):
        reply = await self.fault_reply(stage)
        if reply is None:
            await command(self, arg)
        else:
            await self.push(reply)

    return faulty


for stage in ["ehlo", "starttls", "auth", "mail", "rcpt", "data"]:
    name = "smtp_" + stage.upper()
    setattr(Server, name, with_fault(stage, getattr(SMTP, name)))
# A client that falls back to HELO shall not get around the fault.
Server.smtp_HELO = with_fault("ehlo", SMTP.smtp_HELO)


async def start(directory):
    """A server for that directory, and its port."""
    place = Place(directory)
    setup = place.setup
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(setup["certificate"], setup["key"])
    implicit = setup["implicit_tls"]
    starttls = setup["offer_starttls"] and not implicit
    loop = asyncio.get_running_loop()
    factory = functools.partial(
        Server,
        place,
        hostname="localhost",  # looking it up could take long
        ident="bandwatch test server",
        timeout=LONGER_THAN_ANY_TEST,
        tls_context=context if starttls else None,
        require_starttls=starttls,
        # Without STARTTLS, AUTH is offered in the clear: a trap for a client
        # that gives its password away.
        auth_require_tls=starttls,
        auth_required=setup["offer_auth"],
        authenticator=place.authenticate,
        data_size_limit=setup["announced_size"] or DATA_SIZE_DEFAULT,
        loop=loop,
    )
    server = await loop.create_server(
        factory, "127.0.0.1", 0, ssl=context if implicit else None
    )
    return server, server.sockets[0].getsockname()[1]


async def start_on_request(reader, writer):
    directory = (await reader.readline()).decode().rstrip("\n")
    server, port = await start(directory)
    writer.write(f"{port}\n".encode())
    await reader.read()
    server.close()
    writer.close()


async def main():
    if len(sys.argv) > 1:
        server, port = await start(sys.argv[1])
    else:
        server = await asyncio.start_server(start_on_request, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
    print(port, flush=True)
    await server.serve_forever()


asyncio.run(main())
