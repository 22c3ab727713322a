"""VietinBank's notice as public integrations quote it from the bank's document; the keys are made here, for a test.

No signed sample is published. ``SIGNED_TEXT`` is the published text that the bank signs for this very notice.
"""

from __future__ import annotations

import base64
import json

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

FIELDS: dict[str, object] = {
    "msgId": "ea6e8f1b3d28438c89290c152b66ebeb",
    "providerId": "9111",
    "transId": "501690869",
    "transTime": "20240201140634",
    "transType": "3",
    "custCode": "2NDVNDV24012358711",
    "sendAcctId": "66666666",
    "recvAcctId": "116002680669",
    "recvVirtualAcctId": "2NDVNDV24012358711",
    "bankTransId": "164T24200GKAJ7BY",
    "amount": "875800",
    "remark": "CT DEN:164T24200GKAJ7BY CK",
    "currencyCode": "VND",
}
SIGNED_TEXT = "501690869202402011406342NDVNDV24012358711875800164T24200GKAJ7BYCT DEN:164T24200GKAJ7BY CK"

BANK, OURS, OTHER_BANK = (rsa.generate_private_key(65537, 2048) for _ in range(3))


def private_pem(key: rsa.RSAPrivateKey) -> str:
    """Return a private key as PEM."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """Return the public half of a key as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


SECRET = public_pem(BANK) + private_pem(OURS)
OTHER_SECRET = public_pem(OTHER_BANK) + private_pem(OURS)


def signature(text: str, key: rsa.RSAPrivateKey = BANK) -> str:
    """Return the bank's signature of a text."""
    return base64.b64encode(key.sign(text.encode(), padding.PKCS1v15(), SHA256())).decode()


def notice(text: str = SIGNED_TEXT, **changes: object) -> bytes:
    """Return the notice with some fields changed, with the signature of a text."""
    return json.dumps({**FIELDS, **changes, "signature": signature(text)}).encode()
