"""Encryption of web push (RFC 8291, aes128gcm of RFC 8188) and who we are (VAPID, RFC 8292)."""

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import jwt
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from safety.errors import ConfigError

KEY_FILE = "webpush.key"

_RECORD_BYTES = 4096
_CLAIM_S = 12 * 3600
_LAST_RECORD = b"\x02"


def our_key(data_dir: Path) -> EllipticCurvePrivateKey:
    """The installation's key, made on first use; readable by its user alone.

    Browsers subscribe to it: if the file is lost, everybody has to subscribe again.

    Raises:
        ConfigError: The file is not such a key.
        OSError: It cannot be read or written.
    """
    path = data_dir / KEY_FILE
    if not path.exists():
        _make_key(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey):
        raise ConfigError(
            "channel.webpush_key",
            "the key of web push, {file}, cannot be used; remove it and let people subscribe again",
            file=path.name,
        )
    return key


def public_text(key: EllipticCurvePrivateKey) -> str:
    """The public half, as browsers take it."""
    return _base64url(_point(key.public_key()))


def encrypted(message: bytes, *, p256dh: str, auth: str) -> bytes:
    """A message that only one browser can read.

    Args:
        message: 3993 bytes at most.
        p256dh: The browser's public key, base64url.
        auth: Its secret, base64url.
    """
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _bytes(p256dh))
    ours = generate_private_key(SECP256R1())
    sender = _point(ours.public_key())
    info = b"WebPush: info\0" + _point(theirs) + sender
    keying = _derived(ours.exchange(ECDH(), theirs), salt=_bytes(auth), info=info, length=32)
    salt = os.urandom(16)
    key = _derived(keying, salt=salt, info=b"Content-Encoding: aes128gcm\0", length=16)
    nonce = _derived(keying, salt=salt, info=b"Content-Encoding: nonce\0", length=12)
    head = salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(sender)]) + sender
    return head + AESGCM(key).encrypt(nonce, message + _LAST_RECORD, None)


def authorization(
    key: EllipticCurvePrivateKey, *, endpoint: str, contact: str, now_wall: float
) -> Mapping[str, str]:
    """The header that says who we are, good for one push service and half a day."""
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(now_wall) + _CLAIM_S,
        "sub": f"mailto:{contact}",
    }
    token = jwt.encode(claims, key, algorithm="ES256")
    return {"authorization": f"vapid t={token}, k={public_text(key)}"}


def _make_key(path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        # Engine and dashboard may both be the first: whoever links first has made it.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)


def _derived(secret: bytes, *, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def _point(key: EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
