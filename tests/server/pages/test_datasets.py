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
    assert "no: " in page  # the constant column
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
    page = person.until_done(person.upload("\n".join(["left,right", *rows]).encode()))
    assert "1 cell could not be read" in page
    assert "<code>oops</code>" in page


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
    assert "no: holds the labels" in page
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
