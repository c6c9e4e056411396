"""The certificate authority of the sandbox: real clients insist on TLS, so it speaks nothing else to them."""

import ipaddress
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

# Names under which unmodified clients look for the org (salesforce-wire.md, section 8).
NAMES = ("localhost", "login.salesforce.com", "test.salesforce.com", "*.my.salesforce.com")
_LIFETIME = timedelta(days=3650)
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Authority:
    """Where the CA, the server's certificate and the OAuth client's key pair lie."""

    ca: Path
    certificate: Path
    key: Path
    client_certificate: Path
    client_key: Path


def open_authority(state: Path) -> Authority:
    """The key material of this state directory, made at first start and the same ever after."""
    authority = Authority(
        ca=state / "ca.pem",
        certificate=state / "server.pem",
        key=state / "server.key",
        client_certificate=state / "salesforce-client.pem",
        client_key=state / "salesforce-client.key",
    )
    if not authority.ca.exists():
        _make(authority)
    return authority


def _make(authority: Authority) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _certificate("Sandbox CA", ca_key, None, ca_key)
    server_key = ec.generate_private_key(ec.SECP256R1())
    server = _certificate("localhost", server_key, ca, ca_key)
    # RS256 is the only algorithm of the JWT bearer flow, so the client's key is RSA (salesforce-wire.md, section 2).
    client_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    client = _certificate("Customer portal", client_key, ca, ca_key)
    _write_key(authority.key, server_key)
    _write_key(authority.client_key, client_key)
    authority.certificate.write_bytes(_pem(server) + _pem(ca))
    authority.client_certificate.write_bytes(_pem(client))
    # Last, because its existence says that everything is there.
    authority.ca.write_bytes(_pem(ca))


def _certificate(
    name: str, key: _PrivateKey, issuer: x509.Certificate | None, issuer_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    is_ca = issuer is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(_key_usage(is_ca), critical=True)
    )
    if not is_ca:
        builder = builder.add_extension(_alternative_names(), critical=False).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )
    return builder.sign(issuer_key, hashes.SHA256())


def _key_usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names() -> x509.SubjectAlternativeName:
    names: list[x509.GeneralName] = [x509.DNSName(name) for name in NAMES]
    return x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_key(path: Path, key: _PrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
