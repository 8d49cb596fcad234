"""Nobody is sent to another site after logging in."""

from urllib.parse import urljoin, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from pynomaly.server.web.cookies import local_path

PIECES = st.lists(
    st.sampled_from(
        ["/", "//", "\\", "evil.example", "https:", "@", "?", "#", "\t", "\n", " ", "%2f", "a", ":"]
    )
)


@given(PIECES.map("".join) | st.text(max_size=50))
@example("/\t/evil.example")
@example("/x\\..\\evil.example")
@example("///evil.example")
def test_the_target_stays_on_this_host(target: str) -> None:
    path = local_path(target)
    assert path.startswith("/")
    for seen in (path, path.replace("\\", "/"), path.replace("\t", "").replace("\n", "")):
        assert urlsplit(urljoin("https://pynomaly.example/login", seen)).netloc == "pynomaly.example"
    assert path in (target, "/")


def test_a_path_with_a_query_is_kept() -> None:
    assert local_path("/detections/1?limit=5&sort=-score") == "/detections/1?limit=5&sort=-score"
