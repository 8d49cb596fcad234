"""CSV files: all bad cells and lines are reported; files that cannot be used are refused, with the reason."""

import pytest

from pynomaly.errors import BadColumns, CorruptFile, NonFiniteValue, TableEmpty, TableTooLarge, TooManyBadRows
from pynomaly.tables import Limits, Reject, read


@pytest.fixture
def file(tmp_path):
    """Write a file, and give its path."""

    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def many(n=300):
    """Write rows of clean cells."""
    return [f"{i}.5,word{i % 7},2024-01-{1 + i % 28:02d}" for i in range(n)]


def lines(*rows):
    return "amount,word,day\n" + "\n".join(rows) + "\n"


def test_a_bad_number_is_reported_with_its_place(file):
    rows = many()
    rows[100] = "oops,word1,2024-01-01"
    with read(file(lines(*rows))) as table:
        assert table.n_rows == 299
        assert table.n_rejected == 1
        assert table.rejects == (Reject(102, "amount", "oops", "not a number"),)
        assert table.rows([99, 100], ["amount"]) == [{"amount": 99.5}, {"amount": 101.5}]


def test_all_bad_cells_of_a_row_are_reported(file):
    rows = many()
    rows[7] = "oops,word1,never"
    with read(file(lines(*rows))) as table:
        assert [(r.line, r.column, r.value) for r in table.rejects] == [
            (9, "amount", "oops"),
            (9, "day", "never"),
        ]
        assert (table.n_rows, table.n_rejected) == (299, 2)
        assert table.rejects[1].reason == "not a timestamp"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1.5,word", "the line has 2 cells where 3 are expected"),
        ("1.5,word,2024-01-01,4,5", "the line has 5 cells where 3 are expected"),
        ('1.5,"word"x,2024-01-01', "a quote is opened and not closed, or text follows a closed quote"),
        (b"1.5,\xff\xfe,2024-01-01", "the line is not valid UTF-8"),
    ],
)
def test_a_malformed_line_is_reported(file, row, reason):
    rows = [line.replace("word", "wörd").encode() for line in many()]
    rows[9] = row if isinstance(row, bytes) else row.encode()
    content = b"amount,word,day\n" + b"\n".join(rows) + b"\n"
    with read(file(content)) as table:
        assert [(reject.line, reject.reason) for reject in table.rejects] == [(11, reason)]
        assert table.n_rows == 299


def test_lines_count_line_ends_in_quotes_and_empty_lines(file):
    rows = many()
    rows[3] = '4.5,"two\nlines",2024-01-01'
    rows[5] = "\n6.5,word,2024-01-01"
    rows[8] = "oops,word,2024-01-01"
    path = file(lines(*rows))
    [number] = [at for at, line in enumerate(path.read_text().splitlines(), 1) if line.startswith("oops")]
    with read(path) as table:
        assert table.rejects[0].line == number


def test_too_many_bad_rows_fail_the_file_with_the_first(file):
    rows = many()
    for place in (10, 20, 30, 40):
        rows[place] = "oops,word,2024-01-01"
    with pytest.raises(
        TooManyBadRows, match=r"4 of 300 rows .*1\.3%.* line 12, column 'amount'.*'oops'"
    ) as error:
        read(file(lines(*rows)))
    assert error.value.details["rejects"][0] == {
        "line": 12,
        "column": "amount",
        "value": "oops",
        "reason": "not a number",
    }
    with read(file(lines(*rows)), limits=Limits(max_bad_rows=0.02)) as table:
        assert (table.n_rows, table.n_rejected) == (296, 4)


def test_the_limit_may_be_none_at_all(file):
    rows = [*many(), "oops,word,2024-01-01"]
    with pytest.raises(TooManyBadRows):
        read(file(lines(*rows)), limits=Limits(max_bad_rows=0))


def test_ragged_rows_fail(file):
    with pytest.raises(TooManyBadRows, match="the line has 3 cells where 2 are expected"):
        read(file("a,b\n1,2,3\n4,5,6\n7,8,9\n"))


def test_numbers_that_begin_after_the_sample_are_numbers(file):
    rows = ["," for _ in range(40_000)] + [f"{i}.25,{i}" for i in range(40_000)]
    with read(file("a,b\n" + "\n".join(rows))) as table:
        assert [column.type for column in table.columns] == ["number", "id"]
        assert table.n_rows == 80_000


def test_bad_cells_among_numbers_that_begin_after_the_sample_are_reported(file):
    rows = ["," for _ in range(60_000)] + [f"{i}.25,x{i % 3}" for i in range(40_000)]
    rows[70_000] = "oops,x"
    with read(file("a,b\n" + "\n".join(rows))) as table:
        assert [column.type for column in table.columns] == ["number", "category"]
        assert table.rejects == (Reject(70_002, "a", "oops", "not a number"),)
        assert table.n_rows == 99_999


def test_words_that_begin_after_the_sample_make_a_category(file):
    rows = [f"{i % 5},1.5" for i in range(40_000)] + [f"many,{i}.5" for i in range(40_000)]
    with read(file("a,b\n" + "\n".join(rows))) as table:
        assert table.columns[0].type == "category"
        assert table.n_rejected == 0


def test_codes_with_words_are_a_category_and_not_bad_numbers(file):
    rows = [f"{['3+', '2'][i % 20 == 13] if i % 10 == 3 else i % 3},{i}.5" for i in range(1000)]
    with read(file("children,x\n" + "\n".join(rows))) as table:
        assert table.columns[0].type == "category"
        assert "3+" in table.frame(["children"])["children"].values.levels


def test_a_mix_of_numbers_and_words_is_not_a_column_of_bad_numbers(file):
    rows = [f"{i}.5,1" if i % 3 else f"word{i % 9},2" for i in range(900)]
    with read(file("a,b\n" + "\n".join(rows))) as table:
        assert (table.columns[0].type, table.n_rejected) == ("text", 0)


def test_measured_numbers_with_many_bad_cells_fail(file):
    rows = [f"{i}.5,w{i % 9}" if i % 20 else "unknown,w1" for i in range(1000)]
    with pytest.raises(TooManyBadRows, match=r"50 of 1,000 rows .*'unknown'"):
        read(file("a,b\n" + "\n".join(rows)))


def test_a_quote_that_is_never_closed_counts_all_lines_that_it_takes_in(file):
    rows = [f"{i},w{i % 9}" for i in range(100_000)]
    rows[70_000] = '70000,"open'
    with pytest.raises(
        TooManyBadRows, match=r"30,000 of 100,000 rows .*line 70002: .*the 29,999 lines below"
    ):
        read(file("a,b\n" + "\n".join(rows)))


def test_a_stray_quote_that_takes_in_rows_is_reported(file):
    rows = [f"{i},word{i % 9}" for i in range(50_000)]
    rows[30_000], rows[30_100] = '30000,"open', '30100,word"'
    with read(file("a,b\n" + "\n".join(rows))) as table:
        [reject] = table.rejects
        assert (reject.line, reject.column) == (30_002, "b")
        assert "a quote takes in lines that look like rows" in reject.reason
        assert table.n_rows == 49_899
    with pytest.raises(TooManyBadRows, match="101 of"):
        read(file("a,b\n" + "\n".join(rows)), limits=Limits(max_bad_rows=0.001))


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e400", "-1e999", "9" * 400])
@pytest.mark.parametrize("late", [False, True])
def test_infinite_numbers_are_refused_with_their_place(file, value, late):
    rows = ["," for _ in range(60_000 if late else 0)] + [
        f"{i}.5,w{i % 9}" for i in range(60_000 if late else 300)
    ]
    rows[-5] = f"{value},w"
    with pytest.raises(NonFiniteValue, match="Column 'a'") as error:
        read(file("a,b\n" + "\n".join(rows)))
    assert error.value.details["column"] == "a"


def test_infinite_numbers_are_refused_with_their_line(file):
    with pytest.raises(NonFiniteValue, match="holds 1e400 in line 3"):
        read(file("a,b\n1,2\n1e400,3\n"))


def test_missing_values_have_many_spellings(file):
    with read(file("a,b\n1.5,x\nNaN,NA\n,\nnull,?\n-nan,N/A\n2.5,y\n")) as table:
        assert [row["a"] for row in table.rows(range(6))] == [1.5, None, None, None, None, 2.5]
        assert [row["b"] for row in table.rows(range(6))] == ["x", None, None, None, None, "y"]


def test_large_whole_numbers_are_exact(file):
    with read(file("a,b\n9007199254740993,1\n-9007199254740995,2\n")) as table:
        assert [row["a"] for row in table.rows([0, 1])] == [9007199254740993, -9007199254740995]


def test_decimal_commas_with_thousands(file):
    with read(file("a;b\n1.234,5;x\n-2e3;y\n0,5;z\n")) as table:
        assert [row["a"] for row in table.rows(range(3))] == [1234.5, -2000.0, 0.5]
        assert (table.dialect.decimal, table.dialect.thousands) == (",", ".")


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        (["31/12/2024", "01/02/2024"], "2024-12-31T00:00:00"),
        (["12/31/2024 10:30", "01/02/2024 11:30"], "2024-12-31T10:30:00"),
        (["31.12.24", "01.02.24"], "2024-12-31T00:00:00"),
        (["5 Jan 2024", "6 Feb 2024"], "2024-01-05T00:00:00"),
        (["Jan 5, 2024", "Feb 6, 2024"], "2024-01-05T00:00:00"),
        (["1/2/2024 3:04 pm", "1/3/2024 3:05 am"], "2024-02-01T15:04:00"),
        (["2024-01-02T03:04:05+02:00", "2024-01-02T03:04:05Z"], "2024-01-02T01:04:05"),
        (["2024/01/02", "2024/01/03"], "2024-01-02T00:00:00"),
        (["2024-01-02 03:04:05.250", "2024-01-02 03:04:06"], "2024-01-02T03:04:05.250000"),
    ],
)
def test_timestamps(file, cells, first):
    with read(file("t,x\n" + "".join(f'"{cell}",1\n' for cell in cells * 6))) as table:
        assert table.columns[0].type == "timestamp"
        assert table.rows([0], ["t"]) == [{"t": first}]


def test_a_bad_timestamp_of_another_format_is_reported(file):
    rows = [f"{1 + i % 28:02d}/12/2024,{i}.5" for i in range(300)]
    rows[50] = "soon,1.5"
    with read(file("t,x\n" + "\n".join(rows))) as table:
        [reject] = table.rejects
        assert (reject.line, reject.column, reject.value) == (52, "t", "soon")


def test_times_beyond_the_calendar_are_text(file):
    with read(file("t,x\n99999-01-01,1\ninfinity,2\n")) as table:
        assert table.columns[0].type == "category"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(file, end):
    with read(file(f"a,b{end}1,x{end}2,y{end}")) as table:
        assert table.rows([0, 1]) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_mixed_line_ends(file):
    with read(file(b'a,b\r\n1,x\n2,"y\rz"\r3,z\r\n')) as table:
        assert table.rows(range(3)) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y\rz"}, {"a": 3, "b": "z"}]


def test_mixed_line_ends_without_quotes(file):
    with read(file(b'a,b\r\n1,"x\n2,y"z\r3,z\r\n' + b'4,""""x\n' * 5)) as table:
        assert table.n_rows >= 7


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", TableEmpty, "is empty"),
        ("\n \n", TableEmpty, "is empty"),
        (b"\xef\xbb\xbf", TableEmpty, "is empty"),
        ("a,b,c\n", TableEmpty, "column names but no rows"),
        ("a,a\n1,2\n", BadColumns, "'a' is used more than once"),
        (",b\n1,2\n", BadColumns, "Column 1 has no name"),
        (b"a,b\n1,x\x00y\n", CorruptFile, r"NUL byte in line 2 \(byte 7\)"),
        ("a,b\n1," + "x" * 3_000_000 + "\n", TableTooLarge, "Line 2 .* longer than 2,000,000 bytes"),
        (
            ",".join(f"c{i}" for i in range(10_000)) + "\n" + ",".join("1" * 10_000),
            BadColumns,
            "10000 columns",
        ),
    ],
)
def test_files_that_cannot_be_used(file, content, error, message):
    with pytest.raises(error, match=message):
        read(file(content))


@pytest.mark.parametrize(
    ("content", "n_rows", "types"),
    [
        ("a,b\n1,2\n", 1, ["constant", "constant"]),
        ("a\n1\n2\n", 2, ["number"]),
        ("a\n1", 1, ["constant"]),
        ("7", 1, ["constant"]),
        ("a,b\n,\n,\n", 2, ["constant", "constant"]),
        ("a,A\n1,2\n3,5\n", 2, ["number", "number"]),
    ],
)
def test_small_tables_load(file, content, n_rows, types):
    with read(file(content)) as table:
        assert table.n_rows == n_rows
        assert [column.type for column in table.columns] == types


def test_a_quoted_value_of_many_lines_stays_one_cell(file):
    text = "a line of prose\n" * 50
    with read(file(f'a,b\n1,"{text}"\n2,"short"\n')) as table:
        assert table.rows([0], ["b"]) == [{"b": text}]


def test_a_quoted_value_that_is_too_long_is_rejected_and_the_rest_loads(file):
    rows = [f"{i},w{i % 9}" for i in range(40_000)]
    rows[20_000] = '20000,"' + "a line of text\n" * 160_000 + '"'
    with read(file("a,b\n" + "\n".join(rows))) as table:
        assert table.n_rows == 39_999
        assert table.rejects[0].line == 20_002
        assert table.rejects[0].reason.startswith("the line is too long")
