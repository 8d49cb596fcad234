"""Sharing: what datasets and detectors have in common when others are to see or use them."""

from collections.abc import Sequence

from pynomaly.client.flow import Flow, Pages
from pynomaly.client.models import Access, Share
from pynomaly.client.operation import D, HasId, Listing, Operation, Resource, at, given

NOBODY_NAMED = "Name one: an email, a user_id, or everyone."


class Sharing(Resource[D]):
    """The part of `client.datasets` and `client.detectors` that is about others."""

    _path: str

    @Listing
    def shares(
        self, thing: HasId | str, *, fields: Sequence[str] | None = None, page_size: int | None = None
    ) -> Pages[Share]:
        """Go through who else may view or use it."""
        return self._pages(Share, f"{self._path}/{at(thing)}/shares", fields=fields, limit=page_size)

    @Operation
    def share(
        self,
        thing: HasId | str,
        *,
        email: str | None = None,
        user_id: str | None = None,
        everyone: bool = False,
        access: Access = "view",
    ) -> Flow[Share]:
        """Let somebody, or everyone, view it; or use it too: train on it, detect with it."""
        whom = given(email=email, user_id=user_id, everyone=everyone)
        body = {name: value for name, value in whom.items() if value} | {"access": access}
        return self._one(Share, "PUT", f"{self._path}/{at(thing)}/shares", body=body)

    @Operation
    def unshare(
        self, thing: HasId | str, *, user_id: str | None = None, everyone: bool = False
    ) -> Flow[None]:
        """Take it back from somebody, or from everyone."""
        query = {"user_id": user_id, "everyone": everyone or None}
        return self._none("DELETE", f"{self._path}/{at(thing)}/shares", query=query)
