"""Apache Kafka as companies have it: TLS with its own authority, logins, and rights for each user.

Three listeners: `open` for tests that set things up (everything is allowed), `login` over TLS with
PLAIN, SCRAM and OAUTHBEARER, and `certificate` over TLS with client certificates.
"""

import base64
import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.kafka import clients
from pipeline.kafka.rights import CODES, Right
from pipeline.settings import Settings
from tests.support.kafka import KafkaCluster, Node
from tests.support.ports import free_ports

_MODULE = "org.apache.kafka.common.security"
_PROPERTIES = """\
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},\
LOGIN://127.0.0.1:{login},CERTIFICATE://127.0.0.1:{certificate}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,\
CERTIFICATE:SSL
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
listener.name.login.scram-sha-256.sasl.jaas.config={module}.scram.ScramLoginModule required;
listener.name.login.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;
listener.name.login.plain.sasl.jaas.config={module}.plain.PlainLoginModule required \
user_plain="{password}";
listener.name.login.oauthbearer.sasl.jaas.config={module}.oauthbearer.OAuthBearerLoginModule \
required unsecuredLoginStringClaim_sub="broker";
ssl.keystore.type=PEM
ssl.keystore.location={folder}/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
listener.name.certificate.ssl.client.auth=required
ssl.principal.mapping.rules=RULE:^CN=(.*?)$/$1/
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS
"""

PASSWORD = "correct-horse-battery"
_TOPIC, _GROUP, _LITERAL, _PREFIXED, _ALLOW = 2, 3, 3, 4, 3


class SecuredKafka(KafkaCluster):
    """One node; `users` log in with SCRAM, `plain` with PLAIN; all have the same password."""

    def __init__(self, folder: Path, users: Iterable[str], prefix: str = "") -> None:
        super().__init__()
        self.prefix = prefix
        self.folder = folder
        self._users = [*users]
        self._login, self._certificate = free_ports(2)
        self.authority = Authority(folder)
        self.authority.certificate("broker", "127.0.0.1")

    @property
    def open(self) -> Settings:
        """Settings with which everything is allowed."""
        return Settings(kafka_bootstrap_servers=self.bootstrap_servers, kafka_prefix=self.prefix)

    def variables(self, user: str, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """Give the environment in which `user` logs in."""
        return {
            "TOUCHSTREAM_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self._login}",
            "TOUCHSTREAM_KAFKA_PREFIX": self.prefix,
            "TOUCHSTREAM_KAFKA_TLS": "true",
            "TOUCHSTREAM_KAFKA_CA_FILE": str(self.folder / "ca.pem"),
            "TOUCHSTREAM_KAFKA_SASL": mechanism,
            "TOUCHSTREAM_KAFKA_USER": user,
            "TOUCHSTREAM_KAFKA_PASSWORD": PASSWORD,
        }

    def settings(self, user: str, mechanism: str = "SCRAM-SHA-512", **more: Any) -> Settings:
        """Give the settings with which `user` logs in."""
        own: dict[str, Any] = {
            name.removeprefix("TOUCHSTREAM_").lower(): value
            for name, value in self.variables(user, mechanism).items()
        }
        return Settings(**(own | more))

    @property
    def certificate_address(self) -> str:
        """Where clients come with certificates."""
        return f"127.0.0.1:{self._certificate}"

    def format_options(self) -> tuple[str, ...]:
        """Make the users together with the storage."""
        return tuple(
            option
            for user in self._users
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
            for option in ("--add-scram", f"{mechanism}=[name={user},password={PASSWORD}]")
        )

    def _properties(self, node: Node) -> str:
        usual = super()._properties(node).splitlines(keepends=True)
        return "".join(line for line in usual if not line.startswith("listeners=")) + (
            _PROPERTIES.format(
                port=node.port,
                controller=node.controller_port,
                login=self._login,
                certificate=self._certificate,
                module=_MODULE,
                password=PASSWORD,
                folder=self.folder,
            )
        )

    async def grant(self, user: str, rights: Iterable[Right]) -> None:
        """Allow `user` exactly these operations, besides what was allowed before."""
        async with clients.admin(self.open) as admin:
            for right in rights:
                answer = await admin._send_to_controller(CreateAclsRequest(*_entry(user, right)))
                assert not any(code for code, *_ in answer.creation_responses), answer

    async def take(self, user: str, right: Right) -> None:
        """Take this right away."""
        async with clients.admin(self.open) as admin:
            await admin._send_to_controller(DeleteAclsRequest(*_entry(user, right)))


def _entry(user: str, right: Right) -> tuple[int, str, int, str, str, int, int]:
    kind = _TOPIC if right.kind == "topic" else _GROUP
    pattern = _PREFIXED if right.name.endswith("*") else _LITERAL
    name = right.name.removesuffix("*")
    return kind, name, pattern, f"User:{user}", "*", CODES[right.operation], _ALLOW


def token(user: str, seconds: float = 3600) -> str:
    """Make an unsigned token of `user`, as Kafka takes in development."""
    now = time.time()
    parts = ({"alg": "none"}, {"sub": user, "iat": now, "exp": now + seconds})
    return ".".join(
        [
            base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
            for part in parts
        ]
        + [""]
    )


class Authority:
    """A certificate authority with its files in `folder`: ca.pem, and NAME.pem with key and all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("Test authority")
        own = _unsigned(self._name, self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        (folder / "ca.pem").write_bytes(_pem(own.sign(self._key, hashes.SHA256())))

    def certificate(self, name: str, address: str = "", password: str = "") -> Path:
        """Write the key and the certificate of `name`, and give the file."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = _unsigned(_named(name), self._name, key)
        if address:
            names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
            made = made.add_extension(names, critical=False)
        secret = (
            serialization.BestAvailableEncryption(password.encode())
            if password
            else serialization.NoEncryption()
        )
        written = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret
        )
        path = self._folder / f"{name}.pem"
        path.write_bytes(written + _pem(made.sign(self._key, hashes.SHA256())))
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _unsigned(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
