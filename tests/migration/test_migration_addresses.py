"""No password of a database's address is shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from presheaf.cli import main
from presheaf.migration.addresses import hide_secrets, without_secrets

SCHOOL = Path(__file__).parents[2] / "examples" / "school"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgres://ada:s3cret@localhost/school", "postgres://ada:***@localhost/school"),
        ("postgres://ada:p@ss:w/rd@localhost/school", "postgres://ada:***@localhost/school"),
        ("postgres://:s3cret@localhost", "postgres://:***@localhost"),
        ("snowflake://ada@host/db?Password=s3cret&warehouse=w", "snowflake://ada@host/db?Password=***&warehouse=w"),
        ("postgres://ada@localhost:5432/school", "postgres://ada@localhost:5432/school"),
        ("sqlite:///data/shop.sqlite", "sqlite:///data/shop.sqlite"),
    ],
)
def test_addresses_without_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


def test_messages_without_secrets() -> None:
    url = "postgres://ada:s3%20cret@localhost/school"
    assert hide_secrets("no user ada with 's3 cret' (s3%20cret)", url) == "no user ada with '***' (***)"


def test_the_command_shows_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ibis")
    url = "nosuch://ada:s3cret@127.0.0.1:1/school"
    functor = str(SCHOOL / "school.toml")
    for more in ([], ["--dry-run"]):
        command = ["migrate", "--functor", functor, "--sigma", "old_", "new_", "--engine", url, *more]
        assert main(command) == 2
        message = capsys.readouterr().err
        assert "nosuch://ada:***@127.0.0.1:1" in message
        assert "s3cret" not in message
