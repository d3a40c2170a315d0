"""Somebody else's mail server: takes mails over SMTP (RFC 5321), or refuses them as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from tests.support.ports import free_ports


@dataclass
class MailServer:
    """Answers each mail with the next of `answers`, the last of them for ever."""

    port: int
    answers: list[str] = field(default_factory=lambda: ["250 taken"])
    mails: list[EmailMessage] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _say(writer, "220 mail.example")
        while line := (await reader.readline()).decode().strip():
            if line.upper() == "QUIT":
                await _say(writer, "221 bye")
                break
            if line.upper() == "DATA":
                await _say(writer, "354 go on")
                await _say(writer, self._take(await reader.readuntil(b"\r\n.\r\n")))
                continue
            if line.upper().startswith("RCPT TO:"):
                self.receivers.append(line[8:].strip("<>"))
            await _say(writer, "250 fine")
        writer.close()

    def _take(self, data: bytes) -> str:
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer.startswith("250"):
            self.mails.append(message_from_bytes(data.removesuffix(b".\r\n"), policy=default))
        return answer


async def _say(writer: asyncio.StreamWriter, line: str) -> None:
    writer.write(f"{line}\r\n".encode())
    await writer.drain()


@asynccontextmanager
async def mail_server() -> AsyncIterator[MailServer]:
    """Run a mail server on a free port."""
    [port] = free_ports(1)
    running = MailServer(port)
    async with await asyncio.start_server(running.talk, "127.0.0.1", port):
        yield running
