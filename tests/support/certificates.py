"""Certificates that tests trust and nobody else does."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """PEM files of one certificate, which is its own authority."""

    certificate: Path
    key: Path


def self_signed(
    directory: Path,
    address: str = "127.0.0.1",
    *,
    name: str = "",
    expired: bool = False,
    application: str = "",
) -> Certificate:
    """A certificate for one IP address, valid for a day, or since an hour ago no more.

    Args:
        directory: Where its files go.
        address: Whose it is.
        name: What the files are called after, if there are several.
        expired: Whether it is too old.
        application: Of an OPC UA application, its URI; these have RSA keys.
    """
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.IPAddress(ip_address(address))]
    if application:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        names.append(x509.UniformResourceIdentifier(application))
    owner = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    begin = datetime.now(UTC) - (timedelta(days=1, hours=2) if expired else timedelta(hours=1))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(owner)
        .issuer_name(owner)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=1, hours=1))
        .add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(certificate=directory / f"{name}cert.pem", key=directory / f"{name}key.pem")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files
