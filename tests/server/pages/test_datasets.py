"""The pages of datasets."""

from typing import Any

import pytest

pytestmark = pytest.mark.any_database


def test_nothing_uploaded_yet(person: Any) -> None:
    assert "No datasets yet" in person.see("/datasets")
    assert 'type="file"' in person.see("/datasets/new")


def test_upload_read_and_profile(person: Any, worker: Any) -> None:
    content = b"when;size;colour;same\n" + b"".join(
        b"2026-01-%02d;%d,5;%s;x\n" % (1 + row % 28, row % 17, (b"red", b"blue")[row % 2])
        for row in range(200)
    )
    address = person.upload(content, "dir/points.csv")
    page = person.until_done(address)
    assert "<h1>points</h1>" in page
    assert "semicolon" in page
    assert "comma" in page
    assert 'class="spark"' in page
    assert "not used: " in page  # the constant column
    assert page.split("Used for detection</dt><dd>")[1].startswith("3<")
    assert "points" in person.see("/datasets")


def test_while_it_is_read_the_page_says_so(person: Any) -> None:
    page = person.see(person.upload(b"a,b\n1,2\n2,3\n"))
    assert "Reading the file" in page
    assert '<meta http-equiv="refresh"' in page
    assert "Waiting for a free worker" in page


def test_rejected_cells_are_listed(person: Any, worker: Any) -> None:
    rows = [f"{row},{row * 7 % 31}" for row in range(1000)]
    rows[17] = "oops,3"
    address = person.upload("\n".join(["left,right", *rows]).encode())
    assert "1 cell could not be read" in person.until_done(address)
    page = person.see(f"{address}/report")
    assert "<code>oops</code>" in page
    assert "Text is where a number is expected" in page
    assert person.http.get(f"{address}/report.csv").text.splitlines()[1].startswith("19,left,oops,")


def test_a_refused_file_says_why(person: Any, worker: Any) -> None:
    page = person.until_done(person.upload(bytes(range(256)) * 40, "noise.csv"))
    assert "The file could not be loaded" in page
    assert "Upload another file" in page


def test_an_empty_file_keeps_what_was_typed(person: Any) -> None:
    fields = {"name": "Mine <b>", "label_column": "odd"}
    answer = person.http.post("/datasets/new", data=fields, files={"file": ("none.csv", b"")})
    page = person.read(answer, 422)
    assert "is empty" in page
    assert 'value="Mine <b>"' in page
    assert 'value="odd"' in page
    assert "Mine &lt;b&gt;" in answer.text  # and only so


def test_a_form_without_a_file_is_shown_again(person: Any) -> None:
    answer = person.http.post("/datasets/new", files={"name": (None, "x")})
    assert "Upload a table" in person.read(answer, 422)


def test_the_label_column_is_not_used(person: Any, dataset: str) -> None:
    page = person.see(f"/datasets/{dataset}")
    assert "not used: holds the labels" in page
    assert page.split("Used for detection</dt><dd>")[1].startswith("3<")


def test_rows(person: Any, dataset: str) -> None:
    page = person.see(f"/datasets/{dataset}/rows")
    assert "Rows 0 to 49" in page
    following = page.split('rel="next" href="')[1].split('"')[0]
    page = person.see(f"/datasets/{dataset}/rows{following}")
    assert "Rows 50 to 99" in page
    assert "First rows" in page


def test_the_list_pages_on(person: Any) -> None:
    for number in range(51):
        person.upload(b"a,b\n1,2\n", f"table {number:02}.csv")
    page = person.see("/datasets")
    assert "table 50" in page
    assert "table 00" not in page
    following = page.split('rel="next" href="')[1].split('"')[0]
    page = person.see(following)
    assert "table 00" in page
    assert "First page" in page


@pytest.mark.parametrize("address", ["/datasets/nonsense", "/datasets/00000000-0000-0000-0000-000000000000"])
def test_no_such_dataset(person: Any, address: str) -> None:
    assert "There is no dataset" in person.see(address, 404)


def test_one_person_does_not_see_the_datasets_of_another(person: Any, viewer: Any) -> None:
    address = person.upload(b"a,b\n1,2\n")
    viewer.see(address, 404)
    assert "No datasets yet" in viewer.see("/datasets")


def test_a_viewer_may_not_upload(viewer: Any) -> None:
    answer = viewer.http.post("/datasets/new", files={"file": ("a.csv", b"a,b\n1,2\n")})
    viewer.read(answer, 403)


EVIL = "<script>alert(1)</script>"


def test_a_look_before_the_import(person: Any, worker: Any) -> None:
    content = f"{EVIL};b\n".encode() + b"".join(
        b"%d,5;2026-01-%02d\n" % (row, 1 + row % 28) for row in range(60)
    )
    address = person.upload(content, f"{EVIL}.csv", preview="yes")
    assert address.endswith("/import")
    page = person.until_done(address)
    assert "Import as detected" in page
    assert "found: semicolon" in page
    assert "the whole file: 60 rows" in page
    assert EVIL not in person.http.get(address).text
    assert person.go(address, action="look", header="no") == address
    page = person.until_done(address)
    assert "column_1" in page
    typed = {"action": "import", "header": "no", "name": "x" * 300}
    page = person.send(address, **typed)
    assert "1 to 200 characters" in page
    assert "x" * 300 in page  # nothing typed is lost
    person.go(address, action="look")
    person.until_done(address)
    found = person.go(address, action="import", name="Mine", **{"type-1": "text"})
    assert person.go(address, action="import") == found  # sent twice
    assert "<h1>Mine</h1>" in person.until_done(found)
    assert person.http.get(address).headers["location"] == found


def test_a_wrong_choice_keeps_the_file(person: Any, worker: Any) -> None:
    content = b"a;b\n" + b"".join(b"%d,5;x%d\n" % (row, row % 3) for row in range(200))
    address = person.upload(content, preview="yes")
    person.until_done(address)
    found = person.go(address, action="import", decimal=".", **{"type-0": "number"})
    page = person.until_done(found)
    assert "The file could not be loaded" in page
    assert "Nothing is lost" in page
    report = person.see(f"{found}/report")
    assert "Write the decimal mark as the other cells do." in report
    assert "Read it in another way" in report
    page = person.see(address)
    assert "The file is kept" in page
    person.go(address, action="import")
    assert "200</dd>" in person.until_done(found)


def test_search_sort_and_shared(person: Any, viewer: Any, worker: Any) -> None:
    for name in ("Beta", EVIL, "alpha"):
        person.until_done(person.upload(b"a,b\n1,2\n2,3\n", name=name))
    page = person.see("/datasets?sort=name&q=a")
    assert page.index(">alpha<") < page.index(">Beta<")
    assert 'aria-sort="ascending"' in page
    assert "Nothing found" in person.see("/datasets?q=zzz")
    assert EVIL not in person.http.get("/datasets").text
    assert person.see("/datasets?sort=owner_id&status=x")  # what there is not is left aside
    [id_] = {part.split('"')[0] for part in person.see("/datasets?q=Beta").split('href="/datasets/')[1:]} - {
        "new"
    }
    at = f"/datasets/{id_}"
    page = person.send(f"{at}/sharing", who="person", email="nobody@example.org", access="use")
    assert "Nobody here has this account" in page
    assert 'value="nobody@example.org"' in page
    person.go(f"{at}/sharing", who="person", email="eve@example.org", access="view")
    assert "eve@example.org" in person.see(f"{at}/sharing")
    assert "shared with you" in viewer.see("/datasets")
    assert "Find anomalies" not in viewer.see(at)
    assert viewer.http.get(f"{at}/sharing").status_code == 403
    assert viewer.http.get(f"{at}/delete").status_code == 403
    user_id = person.see(f"{at}/sharing").split('name="user_id" value="')[1].split('"')[0]
    person.go(f"{at}/sharing", action="remove", user_id=user_id)
    assert viewer.http.get(at).status_code == 404


def test_change_and_delete(person: Any, dataset: str) -> None:
    at = f"/datasets/{dataset}"
    assert "Nothing was made of it yet" in person.see(f"{at}/uses")
    page = person.send(f"{at}/edit", name="", description="kept")
    assert "kept" in page
    person.go(f"{at}/edit", name="Visits", description="of shops", label_column="odd")
    page = person.see(at)
    assert "<h1>Visits</h1>" in page
    assert "of shops" in page
    form = {"dataset": dataset, "algorithm": "isolation_forest"}
    api = person.http.post("/api/v1/detection/detect", json={"dataset_id": dataset, "algorithm": "ecod"})
    assert api.status_code == 202, (form, api.text)
    result = api.json()["id"]
    person.until_done(f"/detections/{result}")
    assert f"/detections/{result}" in person.see(f"{at}/uses")
    assert "Delete it with 1 result" in person.see(f"{at}/delete")
    page = person.send(f"{at}/edit", 409, name="Visits", **{"type-0": "category"})
    assert "Delete the 1 result that depends" in page
    assert "1 result depends" in person.send(f"{at}/delete", 409)
    assert person.go(f"{at}/delete", cascade="yes") == "/datasets"
    for gone in (at, f"{at}/rows", f"{at}/import", f"{at}/report", f"/detections/{result}"):
        assert "There is no" in person.see(gone, 404)


def test_a_wide_table_stays_light(person: Any, worker: Any) -> None:
    header = ",".join(f"column {place} {'x' * 40}" for place in range(300))
    rows = "\n".join(",".join(str((row * place) % 97 / 7) for place in range(300)) for row in range(60))
    address = person.upload(f"{header}\n{rows}".encode())
    page = person.until_done(address)
    assert page.count('class="spark"') <= 40
    assert len(page) < 150_000
    assert "1 of 8" in page
    assert "column 299" in person.see(f"{address}?page=8")
    assert "column 123" in person.see(f"{address}?q=column 123")
    assert "columns 281 to 300 of 300" in person.see(f"{address}/rows?page=8")


def test_an_unfinished_upload_waits(person: Any) -> None:
    begun = {"filename": f"{EVIL}.csv", "size": 1000, "fingerprint": f"{EVIL}/1000/1"}
    id_ = person.http.post("/api/v1/datasets/uploads", json=begun).json()["id"]
    part = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
    assert (
        person.http.patch(f"/api/v1/datasets/uploads/{id_}", content=b"a" * 530, headers=part).status_code
        == 204
    )
    page = person.see("/datasets/new")
    assert "Interrupted at 53 %" in page
    assert EVIL not in person.http.get("/datasets/new").text
    assert person.go(f"/datasets/uploads/{id_}/cancel") == "/datasets/new"
    assert "Interrupted" not in person.see("/datasets/new")
