"""OPC UA, signed and encrypted (Basic256Sha256): certificates of both sides, and what is wrong."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zones.feeds.base import FeedError, unusable_file, usable_file

if TYPE_CHECKING:
    from asyncua.client.client import Client
    from asyncua.crypto.uacrypto import CertProperties
    from asyncua.ua.uaerrors import UaError

_USER = frozenset(
    {
        "BadUserAccessDenied",
        "BadIdentityTokenRejected",
        "BadIdentityTokenInvalid",
        "BadUserSignatureInvalid",
    }
)


async def secure(client: "Client", certificate: Path, key: Path, server: Path | None) -> None:
    """Have everything signed and encrypted; before the client connects.

    Args:
        certificate, key: Ours.
        server: The server's certificate; None takes whichever it shows.

    Raises:
        FeedError: A certificate or key cannot be used, or the server shows another certificate.
        UaError: The server offers no such connection.
    """
    from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

    if server is not None:
        await _compare(client, server)
    ours = _given(certificate)
    try:
        _name(client, certificate)
        await client.set_security(
            SecurityPolicyBasic256Sha256,
            certificate=ours,
            private_key=_given(key),
            server_certificate=_given(server) if server else None,
        )
    except ValueError as error:  # what is in the file is no certificate or key
        raise unusable_file(certificate, str(error) or "no certificate in it") from None


def refusal(error: "UaError") -> FeedError:
    """What a server's error means for whoever sets the feed up."""
    name = type(error).__name__
    why = (str(error) or name)[:200]
    if name in _USER:
        return FeedError(
            "feed.opcua_user",
            "the server does not let this user in ({why}); check username and password",
            why=why,
        )
    if name.startswith("BadCertificate") or name == "BadSecurityChecksFailed":
        return FeedError(
            "feed.opcua_certificate",
            "the server does not accept our certificate ({why}); have it trusted at the server,"
            " and check its dates and the application URI in it",
            why=why,
        )
    if "No matching endpoints" in why:
        return FeedError(
            "feed.opcua_encryption",
            "the server offers no such connection ({why}); give certificate_file and key_file for"
            " Basic256Sha256 with SignAndEncrypt, or leave both out for an open one",
            why=why,
        )
    return FeedError(
        "feed.opcua",
        "the server refuses ({why}); check user, certificate and node ids",
        why=why,
    )


async def _compare(client: "Client", expected: Path) -> None:
    """Look whether the server shows the certificate that is expected.

    Its key is proved by the connection itself; this only says clearly what is wrong.
    """
    from asyncua.crypto.uacrypto import der_from_x509, load_certificate

    given = _given(expected)
    try:
        wanted = der_from_x509(  # type: ignore[no-untyped-call]
            await load_certificate(given.path_or_content, given.extension)
        )
    except ValueError as error:
        raise unusable_file(expected, str(error) or "no certificate in it") from None
    shown = [each.ServerCertificate for each in await client.connect_and_get_server_endpoints()]
    if not any(bytes(each or b"").startswith(wanted) for each in shown):
        raise FeedError(
            "feed.opcua_server_certificate",
            "the server shows another certificate than {file}; make sure that it is the right"
            " server, and fetch its certificate anew if it was changed",
            file=str(expected),
        )


def _name(client: "Client", certificate: Path) -> None:
    """Call ourselves as the certificate does: servers compare."""
    from cryptography import x509

    content = certificate.read_bytes()
    pem = content.lstrip().startswith(b"-----")
    read = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
    with suppress(x509.ExtensionNotFound, IndexError):
        names = read(content).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = names.value.get_values_for_type(x509.UniformResourceIdentifier)
        client.application_uri = uris[0]


def _given(file: Path) -> "CertProperties":
    """PEM or DER by what is in it: the ending of the name says nothing."""
    from asyncua.crypto.uacrypto import CertProperties

    content = usable_file(file).read_bytes()
    pem = content.lstrip().startswith(b"-----")
    return CertProperties(content, extension="pem" if pem else "der")
