"""A report's bytes and its signature: what a programme office can rely on.

Canonical JSON (keys sorted, no spaces, UTF-8) makes the same report the same bytes everywhere;
the signature is Ed25519 (RFC 8032) over them. It says that the report left the site as it is,
not that the site counted rightly.
"""

import base64
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from safety.errors import AnjeonError
from safety.reports.schema import MonthlyReport

KEY_FILE = "report-key.pem"


class SignatureFault(AnjeonError):
    """A report is unsigned, changed after signing, or signed by somebody else."""


def canonical(value: Any) -> bytes:
    """JSON that has one spelling only."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def site_key(data_dir: Path) -> Ed25519PrivateKey:
    """The site's own key; made on first use, readable by its owner only.

    Raises:
        SignatureFault: The file holds no such key.
    """
    path = data_dir / KEY_FILE
    if not path.is_file():
        _make_key(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureFault(
            "report.key",
            "{path} holds no key to sign reports with; restore it from the backup, or move it"
            " away to get a new one (the programme office must then be told the new key)",
            path=str(path),
        )
    return key


def public_text(key: Ed25519PrivateKey | Ed25519PublicKey) -> str:
    """The public key as 43 characters of base64url."""
    public = key.public_key() if isinstance(key, Ed25519PrivateKey) else key
    return _text(public.public_bytes(Encoding.Raw, PublicFormat.Raw))


def signed(report: MonthlyReport, key: Ed25519PrivateKey) -> bytes:
    """The file to hand in."""
    document = report.model_dump(mode="json", by_alias=True)
    signature = _text(key.sign(canonical(document)))
    return canonical(
        {
            "report": document,
            "signature": {"algorithm": "ed25519", "key": public_text(key), "value": signature},
        }
    )


def opened(content: bytes, *, name: str) -> tuple[dict[str, Any], str]:
    """The report inside a file whose signature holds, not yet validated, and its key.

    Args:
        content: The file.
        name: What the file is called, for messages.

    Raises:
        SignatureFault: It is no signed report, or was changed.
    """
    try:
        document = json.loads(content)
        report, signature = document["report"], document["signature"]
        if signature["algorithm"] != "ed25519" or not isinstance(report, dict):
            raise KeyError("algorithm")
        public = Ed25519PublicKey.from_public_bytes(_bytes(signature["key"]))
        public.verify(_bytes(signature["value"]), canonical(report))
    except InvalidSignature:
        raise SignatureFault(
            "report.changed",
            "{name} was changed after it was signed; ask the site for the original file",
            name=name,
        ) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SignatureFault(
            "report.unsigned",
            "{name} is no signed monthly report; hand in the .json file that"
            " 'anjeon report monthly' wrote, unopened",
            name=name,
        ) from None
    return report, signature["key"]


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    # Two processes may get here at once: whoever links first has made the key.
    made = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(pem)
        os.fsync(stream.fileno())
    try:
        os.link(made, path)
    except FileExistsError:
        pass
    finally:
        made.unlink()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
