"""Where findings are to be written is refused before anything is done for it."""

import os
from pathlib import Path

import pytest

from keras_bench.commands.outputs import check_outputs
from keras_bench.errors import ResultsUnwritable, UsageError


def test_files_of_their_own_are_taken(tmp_path: Path):
    check_outputs([tmp_path / "a.md", None, tmp_path / "b.json", Path("-")], [tmp_path / "c.json"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "files",
    [
        ("a.md", "a.md"),
        ("-", "-"),
        ("a.md", "folder/../a.md"),
        ("a.md", "link.md"),
    ],
)
def test_two_outputs_in_one_place_are_refused(tmp_path: Path, monkeypatch, files):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.md").symlink_to("a.md")
    with pytest.raises(UsageError, match="two outputs are to be there"):
        check_outputs([Path(each) for each in files])


def test_an_input_is_not_written_over(tmp_path: Path):
    stored = tmp_path / "run.json"
    stored.write_text("{}")
    with pytest.raises(UsageError, match=r"run\.json: it is read; name another file"):
        check_outputs([tmp_path / "." / "run.json"], [stored])


def test_a_stream_leaves_nothing_beside_it(tmp_path: Path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    check_outputs([pipe, Path("/dev/null")])
    assert [each.name for each in tmp_path.iterdir()] == ["pipe"]


def test_a_place_that_is_no_folder_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsUnwritable) as raised:
        check_outputs([tmp_path / "file" / "a.md"])
    assert str(raised.value).startswith(f"{tmp_path / 'file'}: can't be written (")
