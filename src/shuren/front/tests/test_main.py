"""What the command line says of failures that the operator can mend."""

import errno

import pytest

from shuren.front.cli import main


def test_a_full_disk_is_one_line_and_a_fault_of_ours_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failing(number: int) -> None:
        def command(**_told: object) -> None:
            raise OSError(number, "No space left on device")

        monkeypatch.setattr(main, "cli", command)
        main.main()

    with pytest.raises(SystemExit) as ended:
        failing(errno.ENOSPC)
    assert ended.value.code == main.EXIT_REFUSED
    assert "No space left on device" in capsys.readouterr().err
    with pytest.raises(OSError, match="No space"):
        failing(errno.EBADF)
