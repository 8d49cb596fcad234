"""Members of an ensemble as text, and as parameters of the catalogue."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynomaly.detection import members
from pynomaly.detection.catalogue import check_parameters, member
from pynomaly.errors import BadParameter, UnknownAlgorithm

SPELLED = ("hbos", "knn(n_neighbors=10, method=mean)")


@pytest.mark.parametrize(
    "given_",
    [
        "hbos, knn(n_neighbors=10, method=mean)",
        " hbos ,knn( n_neighbors = 10,method=mean ) ,",
        ["hbos", "knn(n_neighbors=10, method=mean)"],
        ("hbos", ("knn", {"n_neighbors": 10, "method": "mean"})),
        [{"algorithm": "hbos"}, {"algorithm": "knn", "parameters": {"n_neighbors": 10, "method": "mean"}}],
    ],
)
def test_every_way_to_write_members_means_the_same(given_):
    assert check_parameters("ensemble", {"members": given_})["members"] == SPELLED


@pytest.mark.parametrize(
    "given_", ["", [], "knn(", "knn)", "knn(n_neighbors)", "knn(n_neighbors=1, n_neighbors=2)", 5, [5], None,
               [{"name": "knn"}], [{"algorithm": 3}], [("knn", {}, 1)], "kn n", [["knn"]]],
)  # fmt: skip
def test_what_is_no_list_of_members_is_refused(given_):
    with pytest.raises(BadParameter, match="Parameter members of ensemble is a list of algorithms such as"):
        check_parameters("ensemble", {"members": given_})


def test_members_are_checked_as_algorithms_are():
    with pytest.raises(UnknownAlgorithm, match="Did you mean 'hbos'"):
        check_parameters("ensemble", {"members": "hboss"})
    with pytest.raises(BadParameter, match="n_neighbors of knn"):
        check_parameters("ensemble", {"members": "knn(n_neighbors=-4)"})
    with pytest.raises(BadParameter, match="takes algorithms that have no members, not ensemble"):
        check_parameters("ensemble", {"members": ["hbos", "ensemble"]})


@pytest.mark.parametrize("given_", ["hboss", "knn(n_neighbors=-4)", "knn(n=4)", "hbos, ensemble"])
def test_a_wrong_member_is_an_error_of_the_members(given_):
    with pytest.raises((BadParameter, UnknownAlgorithm)) as caught:
        check_parameters("ensemble", {"members": given_})
    assert (caught.value.details["parameter"], caught.value.details["algorithm"]) == ("members", "ensemble")


@pytest.mark.parametrize("weights", [[1], [0, 0], [1, 2, 3]])
def test_weights_are_checked_before_anything_is_trained(weights):
    with pytest.raises(BadParameter, match="one number for each of the 2 members, not all 0"):
        check_parameters("ensemble", {"members": "hbos, knn", "weights": weights})


def test_a_member_is_read_with_its_parameters_types():
    assert member("isolation_forest(n_trees=20, bootstrap=true)") == (
        "isolation_forest",
        {"n_trees": 20, "bootstrap": True},
    )


names = st.from_regex(r"[a-z]\w{0,8}", fullmatch=True)
values = st.one_of(st.integers(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False), names)


@given(names, st.dictionaries(names, values, max_size=4))
def test_what_is_spelled_is_read_again(name, parameters):
    read_name, written = members.read(members.spell(name, parameters))
    assert read_name == name
    assert written == {
        key: str(v).lower() if isinstance(v, bool) else str(v) for key, v in parameters.items()
    }
    assert members.split(members.spell(name, parameters)) == [members.spell(name, parameters)]


@pytest.mark.parametrize("weights", ["1, 2", [1, 2], (1.0, 2.0)])
def test_weights_are_numbers_from_zero(weights):
    assert check_parameters("ensemble", {"members": "hbos, knn", "weights": weights})["weights"] == (1.0, 2.0)


@pytest.mark.parametrize("weights", ["1, -2", [1, "two"], "a", 3, [float("nan")], [True]])
def test_other_weights_are_refused(weights):
    with pytest.raises(BadParameter, match="weights of ensemble is a list of numbers from 0"):
        check_parameters("ensemble", {"weights": weights})
