"""Authlib, a client that is none of ours: a service that asks for itself, in each way.

    service.py METADATA_URL AUDIENCE ID SECRET SIGNING_ID PRIVATE_JWK_FILE

Prints what it found as JSON; ends with an error if anything is not as the standards say.
"""

import json
import sys

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

metadata_url, audience, client_id, secret, signing_id, key_file = sys.argv[1:]
metadata = AuthorizationServerMetadata(requests.get(metadata_url, timeout=10).json())
keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
token_endpoint = metadata["token_endpoint"]
with open(key_file, encoding="utf-8") as file:
    private = ECKey.import_key(json.load(file))



def session_of(who: str, shown: object, method: str) -> OAuth2Session:
    """A session that shows who it is in this way, when it gives tokens back as well."""
    return OAuth2Session(
        who, shown, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method
    )


sessions = {
    method: session_of(client_id, secret, method)
    for method in ("client_secret_basic", "client_secret_post")
}
signing = session_of(signing_id, private, "private_key_jwt")
signing.register_client_auth_method(PrivateKeyJWT(token_endpoint, alg="ES256"))
sessions["private_key_jwt"] = signing

found = {}
for method, session in sessions.items():
    token = session.fetch_token(token_endpoint, grant_type="client_credentials")
    read = jwt.decode(token["access_token"], keys, algorithms=["ES256"])
    assert read.header["typ"] == "at+jwt", read.header
    claims = jwt.JWTClaimsRegistry(
        iss={"essential": True, "value": metadata["issuer"]},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True, "value": session.client_id},
    )
    claims.validate(read.claims)
    known = session.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    session.revoke_token(metadata["revocation_endpoint"], token["access_token"])
    after = session.introspect_token(metadata["introspection_endpoint"], token["access_token"]).json()
    found[method] = {"active": known["active"], "afterwards": after["active"]}

wrong = OAuth2Session(client_id, "cs_wrong")
try:
    wrong.fetch_token(token_endpoint, grant_type="client_credentials")
except Exception as error:
    found["wrong secret"] = getattr(error, "error", str(error))
print(json.dumps(found))
