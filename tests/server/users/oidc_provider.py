"""An OpenID Connect provider for tests, run as a process: `oidc-provider-mock`, stricter, and able to lie.

It demands PKCE with S256, and prints its port. `GET /lie?kind=…` makes the next ID token a forged one.
"""

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import oidc_provider_mock
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

challenges: dict[str, str] = {}
lies: list[str] = []
app = oidc_provider_mock.app()


@app.get("/lie")
def lie() -> str:
    """Make the next ID token a forged one."""
    lies.append(flask.request.args["kind"])
    return ""


@app.before_request
def demand_pkce() -> tuple[str, int] | None:
    """Refuse a request without a challenge, and a code without the verifier that fits."""
    request = flask.request
    if request.path == "/oauth2/authorize":
        asked = request.args
        if asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43:
            return "PKCE with S256 is demanded", 400
    if request.path == "/oauth2/token":
        digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if challenges.get(request.form["code"]) != challenge:
            return "the verifier does not fit", 400
    return None


@app.after_request
def remember_and_lie(response: flask.Response) -> flask.Response:
    """Remember which challenge a code came with; forge an ID token if that was asked for."""
    if flask.request.path == "/oauth2/authorize" and "Location" in response.headers:
        for code in parse_qs(urlsplit(response.headers["Location"]).query).get("code", []):
            challenges[code] = flask.request.args["code_challenge"]
    if flask.request.path == "/oauth2/token" and lies and response.status_code == 200:
        told = response.get_json()
        told["id_token"] = forged(lies.pop(), told["id_token"])
        response.set_data(json.dumps(told))
    return response


def part(value: dict[str, Any]) -> str:
    """Encode one part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CLAIMS: dict[str, dict[str, Any]] = {
    "issuer": {"iss": "https://evil.example"},
    "audience": {"aud": "another client"},
    "audience of our party": {"aud": "another client", "azp": "pynomaly"},
    "audiences": {"aud": ["another client", "pynomaly"], "azp": "another client"},
    "expired": {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200},
    "future": {"iat": int(time.time()) + 3600, "exp": int(time.time()) + 7200},
    "nonce": {"nonce": "another nonce"},
    "no nonce": {"nonce": None},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "subject of another kind": {"sub": ["ada"]},
    "honest": {},
}


def forged(kind: str, token: str) -> str:
    """Forge a token that a careless client would believe."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    jwk = flask.g.oidc_provider_mock_storage.jwk.as_dict(is_private=True)
    ours = RSAKey.import_key(jwk)
    header = {"alg": "RS256", "kid": json.loads(base64.urlsafe_b64decode(head + "==")).get("kid")}
    header = {name: value for name, value in header.items() if value is not None}
    if kind == "signature":
        return f"{head}.{body}.{'A' * len(signature)}"
    if kind == "changed":
        return f"{head}.{part({**claims, 'sub': 'root'})}.{signature}"
    if kind == "none":
        return f"{part({'alg': 'none'})}.{body}."
    if kind in ("symmetric", "secret"):
        known = (
            ours.as_pem(private=False) if kind == "symmetric" else b"the client's own secret, which is long"
        )
        signed = f"{part({'alg': 'HS256'})}.{part(claims)}"
        mac = hmac.digest(known, signed.encode(), hashlib.sha256)
        return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    if kind == "stranger":
        return jwt.encode(header, claims, RSAKey.generate_key(2048))
    if kind == "embedded":
        strange = RSAKey.generate_key(2048)
        return jwt.encode({"alg": "RS256", "jwk": strange.as_dict(private=False)}, claims, strange)
    if kind == "garbage":
        return "not.a.token"
    changed = {name: value for name, value in {**claims, **CLAIMS[kind]}.items() if value is not None}
    return jwt.encode(header, changed, ours)


if __name__ == "__main__":
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201
    sys.stdin.read()
