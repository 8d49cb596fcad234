"""OpenID Connect: the code flow with PKCE, and the check of the ID token that it ends with.

Needs the extra `oidc` (Authlib and what it brings); imported only when a provider is configured.
"""

import hmac
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore, Lock
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from pynomaly.errors import Busy, ConfigurationError, ProviderUnavailable, SignInFailed
from pynomaly.server.users.attempts import Attempt
from pynomaly.server.users.sign_in import Identity
from pynomaly.settings import Settings

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Asymmetric ones only: nobody who knows the provider's public key or our client id can sign."""
LEEWAY_SECONDS = 60
TIMEOUT_SECONDS = 10.0
FRESH_SECONDS = 3600.0
SILENT_SECONDS = 5.0
"""How long a provider that did not answer is not asked again."""
MOST_AT_ONCE = 8
"""People whose sign-in may wait for the provider: each of them holds a thread that others need too."""
RETRY_SECONDS = 10.0
"""How soon the provider's keys may be read again for an ID token that none of them fits."""
LOOPBACK = re.compile(r"localhost|127(\.\d{1,3}){3}|::1")


class Provider:
    """The provider of the settings: where it sends people, and what its tokens say."""

    def __init__(self, settings: Settings) -> None:
        """Check the settings; the provider is not asked for anything yet."""
        if not settings.oidc_client_id:
            raise ConfigurationError("PYNOMALY_OIDC_ISSUER needs PYNOMALY_OIDC_CLIENT_ID.")
        self._issuer = settings.oidc_issuer
        self._strict = settings.env == "prod"
        if not self._is_safe(self._issuer):
            raise ConfigurationError("PYNOMALY_OIDC_ISSUER must begin with https://.")
        self._client_id = settings.oidc_client_id
        self._secret = settings.oidc_client_secret.get_secret_value()
        self._scopes = " ".join(dict.fromkeys(["openid", *settings.oidc_scopes.split()]))
        self._group_claim = settings.oidc_group_claim
        self._back = f"{settings.public_url}/oidc/callback"
        self._lock = Lock()
        self._room = BoundedSemaphore(MOST_AT_ONCE)
        self._silent_until = 0.0
        self._read: dict[str, tuple[float, Any]] = {}

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Take one of the places for asking the provider; Busy when there is none."""
        if not self._room.acquire(blocking=False):
            raise Busy("Too many people are signing in at once: try again in a second.", retry_after=1)
        try:
            yield
        finally:
            self._room.release()

    def address(self, attempt: Attempt) -> str:
        """Where the browser is sent to sign in."""
        address: str = prepare_grant_uri(
            self._endpoint("authorization_endpoint"),
            client_id=self._client_id,
            response_type="code",
            redirect_uri=self._back,
            scope=self._scopes,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return address

    def identity(self, attempt: Attempt, answer: Mapping[str, str]) -> Identity:
        """Find out who has signed in, of the query that the browser came back with.

        Raises:
            SignInFailed: the answer is not to this attempt, was refused, or its token cannot be trusted.
            ProviderUnavailable: the provider does not answer.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise SignInFailed("The answer is not to a sign-in that this browser began.")
        if answer.get("iss", self._issuer) != self._issuer:  # RFC 9207
            raise SignInFailed("The answer comes from another provider.")
        if "code" not in answer:
            raise SignInFailed("The provider did not let you sign in.")
        tokens = self._exchange(answer["code"], attempt.verifier)
        claims = self._claims(str(tokens["id_token"]), attempt.nonce, str(tokens.get("access_token", "")))
        if "email" not in claims and "userinfo_endpoint" in self._metadata():
            claims = {**self._userinfo(str(tokens.get("access_token", "")), claims["sub"]), **claims}
        return self._identity(claims)

    def _exchange(self, code: str, verifier: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._back,
            "code_verifier": verifier,
            "client_id": self._client_id,
        }
        supported = self._metadata().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        auth = None
        if self._secret and "client_secret_basic" in supported:
            auth = httpx.BasicAuth(quote(self._client_id, safe=""), quote(self._secret, safe=""))
        elif self._secret:
            form["client_secret"] = self._secret
        tokens = self._ask("POST", self._endpoint("token_endpoint"), data=form, auth=auth)
        if "id_token" not in tokens:
            raise SignInFailed("The provider did not accept the sign-in.")
        return tokens

    def _claims(self, id_token: str, nonce: str, access_token: str) -> dict[str, Any]:
        """Check an ID token: signature, algorithm, issuer, audience, times, nonce, who it is for."""
        try:
            token = self._decoded(id_token)
            options = {
                "iss": {"essential": True, "value": self._issuer},
                "aud": {"essential": True, "value": self._client_id},
                "exp": {"essential": True},
                "iat": {"essential": True},
                "sub": {"essential": True},
            }
            asked = {"nonce": nonce, "client_id": self._client_id, "access_token": access_token}
            claims = CodeIDToken(token.claims, token.header, options, asked)
            claims.validate(leeway=LEEWAY_SECONDS)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise SignInFailed("The provider's ID token cannot be trusted.") from error
        return dict(claims)

    def _decoded(self, id_token: str) -> jwt.Token:
        address = self._endpoint("jwks_uri")
        try:
            return jwt.decode(id_token, self._keys(address, FRESH_SECONDS), algorithms=ALGORITHMS)
        except (JoseError, ValueError):  # the provider may have new keys
            return jwt.decode(id_token, self._keys(address, RETRY_SECONDS), algorithms=ALGORITHMS)

    def _keys(self, address: str, fresh: float) -> KeySet:
        listed = self._cached(address, fresh)
        usable = [key for key in listed.get("keys", []) if key.get("kty") in ("RSA", "EC", "OKP")]
        return KeySet.import_key_set({"keys": usable})

    def _userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {access_token}"}
        told = self._ask("GET", self._endpoint("userinfo_endpoint"), headers=headers)
        if told.get("sub") != subject:
            raise SignInFailed("The provider speaks of somebody else.")
        return told

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, groups = claims["sub"], claims.get(self._group_claim) or []
        if not isinstance(subject, str) or not 0 < len(subject) <= 255 or not subject.isprintable():
            raise SignInFailed("The provider does not say who you are.")
        email, verified = claims.get("email"), claims.get("email_verified")
        return Identity(
            issuer=self._issuer,
            subject=subject,
            email=email if isinstance(email, str) and email else None,
            email_verified=verified if isinstance(verified, bool) else None,
            name=str(claims.get("name") or ""),
            groups=frozenset([groups] if isinstance(groups, str) else map(str, groups)),
        )

    def _metadata(self) -> dict[str, Any]:
        found = self._cached(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration", FRESH_SECONDS)
        if found.get("issuer") != self._issuer:
            raise SignInFailed("The provider calls itself otherwise than PYNOMALY_OIDC_ISSUER.")
        return found

    def _endpoint(self, name: str) -> str:
        address = str(self._metadata().get(name, ""))
        if not self._is_safe(address):
            raise SignInFailed(f"The provider's {name} is no https:// address.")
        return address

    def _is_safe(self, address: str) -> bool:
        parts = urlsplit(address)
        plain = parts.scheme == "http" and not self._strict and LOOPBACK.fullmatch(parts.hostname or "")
        return bool(parts.hostname) and (parts.scheme == "https" or bool(plain))

    def _cached(self, address: str, fresh: float) -> dict[str, Any]:
        with self._lock:
            at, found = self._read.get(address, (-fresh, None))
            if found is None or time.monotonic() - at > fresh:
                found = self._ask("GET", address)
                self._read[address] = time.monotonic(), found
            return dict(found)

    def _ask(self, method: str, address: str, **options: Any) -> dict[str, Any]:
        """Send one request; redirects are not followed. A refusal of the provider is an empty answer."""
        if time.monotonic() < self._silent_until:
            raise ProviderUnavailable
        try:
            answer = httpx.request(method, address, timeout=TIMEOUT_SECONDS, **options)
            if answer.status_code >= 500 or answer.is_redirect:
                raise ProviderUnavailable
            told = answer.json() if answer.is_success else {}
        except httpx.TransportError as error:
            self._silent_until = time.monotonic() + SILENT_SECONDS
            raise ProviderUnavailable from error
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderUnavailable from error
        if not isinstance(told, dict):
            raise ProviderUnavailable
        return told
