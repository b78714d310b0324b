"""Bundle signatures in the OpenSSF Model Signing format (OMS 1.0), with a local P-256 key.

A sigstore bundle holds a DSSE envelope, which holds an in-toto statement: one subject (the manifest's root) and the
digest of every file as the predicate's resources. Written by hand on `cryptography`, since the package for it trusts
the signer's own ignore list; it serves as an oracle instead (docs/explanation/publication.md).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from readingroom.core.canonical import Json, canonical, parse
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.files import write_new, write_over
from readingroom.publication.manifest import Manifest, is_inside

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://model_signing/signature/v1.0"
_SERIALIZATION: Json = {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []}


class Untrusted(Exception):  # noqa: N818 - named for what it says
    """The signature does not show what it should; the message says why."""


def create_key(private: Path, public: Path) -> None:
    """Make a P-256 key pair: PEM files, the private one new and for its owner alone.

    Raises:
        OSError: it is there already, or cannot be written.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_new(private, pem)
    publish_key(private, public)


def publish_key(private: Path, public: Path) -> None:
    """Write the public key of a private one, for outsiders.

    Raises:
        Broken: the private key is not there, or is none.
        OSError: it cannot be written.
    """
    write_over(public, _public_pem(load_private(private).public_key()))


def load_private(path: Path) -> ec.EllipticCurvePrivateKey:
    """Load the private key.

    Raises:
        Broken: it is not there or not a P-256 key.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, UnsupportedAlgorithm) as fault:
        raise Broken(Problem(str(path), f"cannot be used ({fault})", "Restore it from a backup")) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise Broken(Problem(str(path), "is not a P-256 key", "Restore it from a backup"))
    return key


def public_from_option(option: str) -> ec.EllipticCurvePublicKey:
    """Read a public key given as PEM text or as the path of a file.

    Raises:
        BadInput: it is neither.
    """
    cure = "Give the lab's release.pub: PEM text (-----BEGIN PUBLIC KEY-----) or a file with it"
    try:
        text = option.encode() if "-----BEGIN" in option else Path(option).read_bytes()
        key = serialization.load_pem_public_key(text)
    except (OSError, ValueError, UnsupportedAlgorithm):
        raise BadInput([Problem("--key", "is no public key", cure)]) from None
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise BadInput([Problem("--key", "is not a P-256 key", cure)])
    return key


def sign(manifest: Manifest, name: str, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return the signature file of a bundle."""
    payload = canonical(_statement(manifest, name))
    signature = key.sign(_pae(payload), ec.ECDSA(hashes.SHA256()))
    return canonical(_bundle(payload, signature, key.public_key()))


def verify(bundle: bytes, key: ec.EllipticCurvePublicKey) -> Manifest:
    """Return the manifest that this key has signed.

    Raises:
        Untrusted: it is no signature, not by this key, or signs something that cannot be a bundle.
    """
    try:
        said = parse(bundle)
        payload = base64.b64decode(said["dsseEnvelope"]["payload"])
        signature = base64.b64decode(said["dsseEnvelope"]["signatures"][0]["sig"])
        key.verify(signature, _pae(payload), ec.ECDSA(hashes.SHA256()))
        # What no signature covers must not vary: neither fields, nor base64's idle bits, nor white space.
        if bundle != canonical(_bundle(payload, signature, key)):
            raise Untrusted("model.sig: is not one signature with this key over an in-toto statement, and nothing else")
        return _manifest(parse(payload))
    except InvalidSignature:
        raise Untrusted("model.sig: was not made with this key, or was altered") from None
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise Untrusted("model.sig: cannot be read as a bundle signature") from None


def _bundle(payload: bytes, signature: bytes, key: ec.EllipticCurvePublicKey) -> Json:
    """Return the sigstore bundle around a signed statement; the package `model-signing` makes the same value."""
    signatures = [{"sig": _b64(signature), "keyid": ""}]
    return {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": _hint(key)}, "tlogEntries": []},
        "dsseEnvelope": {"payload": _b64(payload), "payloadType": PAYLOAD_TYPE, "signatures": signatures},
    }


def _statement(manifest: Manifest, name: str) -> Json:
    resources = [{"name": path, "algorithm": "sha256", "digest": digest} for path, digest in manifest.digests]
    return {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": manifest.root}}],
        "predicateType": PREDICATE,
        "predicate": {"serialization": _SERIALIZATION, "resources": resources},
    }


def _manifest(statement: Json) -> Manifest:
    if statement["_type"] != STATEMENT or statement["predicateType"] != PREDICATE:
        raise Untrusted("model.sig: signs something else than a model")
    resources = statement["predicate"]["resources"]
    names = [str(each["name"]) for each in resources]
    outside = [name for name in names if not is_inside(name)]
    if outside or len(set(names)) != len(names) or names != sorted(names):
        raise Untrusted(f"model.sig: names a file outside the bundle, twice or out of order: {outside or names}")
    if any(each["algorithm"] != "sha256" or len(bytes.fromhex(each["digest"])) != 32 for each in resources):  # noqa: PLR2004 - SHA-256
        raise Untrusted("model.sig: holds a digest that is not SHA-256")
    manifest = Manifest(tuple((str(each["name"]), str(each["digest"])) for each in resources))
    if statement["subject"][0]["digest"]["sha256"] != manifest.root or len(statement["subject"]) != 1:
        raise Untrusted("model.sig: its subject is not the root of what it lists")
    return manifest


def _pae(payload: bytes) -> bytes:
    """DSSE 1.0 pre-authentication encoding."""
    return f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload


def _public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _hint(key: ec.EllipticCurvePublicKey) -> str:
    return hashlib.sha256(_public_pem(key)).hexdigest()


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
