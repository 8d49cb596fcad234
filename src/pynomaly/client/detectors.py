"""Detectors: define, train, keep versions of them, move thresholds, carry them from server to server."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Literal, Unpack

from pynomaly.client.flow import Flow, Pages, Upload
from pynomaly.client.jobs import OnJob, waited
from pynomaly.client.models import Algorithm, Alias, Cut, Detector, Started, Version, VersionComparison
from pynomaly.client.operation import D, HasId, Listing, Operation, at, id_of, only_if
from pynomaly.client.recipe import Definition, Move, Recipe
from pynomaly.client.sharing import Sharing

Sort = Literal["created_at", "-created_at", "name", "-name", "updated_at", "-updated_at"]


class Detectors(Sharing[D]):
    """`client.detectors`."""

    _path = "/detectors"

    @Listing
    def algorithms(self, *, fields: Sequence[str] | None = None) -> Pages[Algorithm]:
        """Go through the algorithms that this server knows, with their parameters."""
        return self._pages(Algorithm, "/detectors/algorithms", fields=fields)

    @Operation
    def create(self, /, *, name: str, description: str = "", **recipe: Unpack[Recipe]) -> Flow[Detector]:
        """Define a detector: algorithm, parameters, columns, seed, threshold, as `Recipe` lists them."""
        body = {"name": name, "description": description, **recipe}
        return self._one(Detector, "POST", "/detectors", body=body)

    @Listing
    def list(
        self,
        *,
        status: str | None = None,
        algorithm: str | None = None,
        name: str | None = None,
        sort: Sort | None = None,
        fields: Sequence[str] | None = None,
        page_size: int | None = None,
    ) -> Pages[Detector]:
        """Go through the detectors that you may see, newest first."""
        return self._pages(
            Detector,
            "/detectors",
            status=status,
            algorithm=algorithm,
            name=name,
            sort=sort,
            fields=fields,
            limit=page_size,
        )

    @Operation
    def get(self, detector: HasId | str, *, fields: Sequence[str] | None = None) -> Flow[Detector]:
        """Look at one detector and its version in use."""
        return self._one(Detector, "GET", f"/detectors/{at(detector)}", query={"fields": fields})

    @Operation
    def update(
        self, detector: HasId | str, /, *, if_match: str | None = None, **changes: Unpack[Definition]
    ) -> Flow[Detector]:
        """Change what is given; when it is more than the name and the threshold, train it again."""
        path = f"/detectors/{at(detector)}"
        return self._one(Detector, "PATCH", path, body=dict(changes), headers=only_if(if_match))

    @Operation
    def delete(
        self, detector: HasId | str, *, cascade: bool = False, if_match: str | None = None
    ) -> Flow[None]:
        """Delete a detector with its versions; `cascade`: also results that depend on it, else it stays."""
        path, query = f"/detectors/{at(detector)}", {"cascade": cascade or None}
        return self._none("DELETE", path, query=query, headers=only_if(if_match))

    @Operation
    def train(
        self,
        detector: HasId | str,
        dataset: HasId | str,
        *,
        wait: bool = True,
        timeout: float | None = None,
        on_job: OnJob | None = None,
    ) -> Flow[Detector]:
        """Train on a dataset, and wait until that is done; the new version is then the one in use.

        Raises:
            JobFailed: it cannot be trained on this dataset.
            WaitTimedOut: it was not trained in `timeout` seconds; that goes on.
        """
        path = f"/detectors/{at(detector)}"
        started = yield from self._one(Started, "POST", f"{path}/train", body={"dataset_id": id_of(dataset)})
        if wait:
            yield from waited(self._conversation, started.job_id, timeout, on_job)
        return (yield from self._one(Detector, "GET", path))

    @Operation
    def set_threshold(
        self, detector: HasId | str, /, *, if_match: str | None = None, **threshold: Unpack[Move]
    ) -> Flow[Cut]:
        """Move the threshold, as `Move` lists the ways, without training again."""
        path = f"/detectors/{at(detector)}/threshold"
        return self._one(Cut, "PUT", path, body=dict(threshold), headers=only_if(if_match))

    @Listing
    def versions(
        self, detector: HasId | str, *, fields: Sequence[str] | None = None, page_size: int | None = None
    ) -> Pages[Version]:
        """Go through the trained versions, newest first."""
        return self._pages(Version, f"/detectors/{at(detector)}/versions", fields=fields, limit=page_size)

    @Operation
    def version(self, detector: HasId | str, version: int | str) -> Flow[Version]:
        """Look at one version, by its number or an alias such as `production`."""
        return self._one(Version, "GET", f"/detectors/{at(detector)}/versions/{at(version)}")

    @Operation
    def activate(
        self, detector: HasId | str, version: int | str, *, if_match: str | None = None
    ) -> Flow[Detector]:
        """Use this version from now on."""
        path = f"/detectors/{at(detector)}/versions/{at(version)}/activate"
        return self._one(Detector, "POST", path, headers=only_if(if_match))

    @Operation
    def rollback(self, detector: HasId | str, *, if_match: str | None = None) -> Flow[Detector]:
        """Use the version again that was in use before; not sent again when its answer is lost."""
        path = f"/detectors/{at(detector)}/rollback"
        return self._one(Detector, "POST", path, headers=only_if(if_match), once=True)

    @Operation
    def compare(self, detector: HasId | str, before: int | str, after: int | str) -> Flow[VersionComparison]:
        """Tell what differs between two versions."""
        path, query = f"/detectors/{at(detector)}/compare", {"versions": f"{before},{after}"}
        return self._one(VersionComparison, "GET", path, query=query)

    @Listing
    def aliases(self, detector: HasId | str) -> Pages[Alias]:
        """Go through what versions are called."""
        return self._pages(Alias, f"/detectors/{at(detector)}/aliases")

    @Operation
    def set_alias(self, detector: HasId | str, alias: str, version: int | str) -> Flow[Alias]:
        """Give a version a name, or let the name stand for another; `production` puts it into use."""
        path = f"/detectors/{at(detector)}/aliases/{at(alias)}"
        return self._one(Alias, "PUT", path, body={"version": version})

    @Operation
    def delete_alias(self, detector: HasId | str, alias: str) -> Flow[None]:
        """Take a name back; the version stays."""
        return self._none("DELETE", f"/detectors/{at(detector)}/aliases/{at(alias)}")

    @Operation
    def export(
        self, detector: HasId | str, file: str | PathLike[str], *, version: int | str | None = None
    ) -> Flow[Path]:
        """Write a version (the one in use) to a model file, which `pynomaly.load` and other servers read."""
        path = Path(file)
        yield from self._send(
            "GET", f"/detectors/{at(detector)}/bundle", query={"version": version}, save=path
        )
        return path

    @Operation
    def import_file(self, file: str | PathLike[str], *, name: str | None = None) -> Flow[Detector]:
        """Make a detector of a model file."""
        path = Path(file)
        upload = Upload(path, path.name, {} if name is None else {"name": name})
        return self._one(Detector, "POST", "/detectors/import", upload=upload)
