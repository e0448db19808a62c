"""How much an import may be."""

MAX_FILE_BYTES = 2 * 1024**3
MAX_SHEET_UNPACKED_BYTES = 2 * 1024**3
MAX_PACKAGE_UNPACKED_BYTES = 16 * 1024**3
MAX_PACKAGE_MEMBERS = 2000
MAX_RATIO = 300
RATIO_FREE_BYTES = 16 * 1024**2
MAX_SHEET_CELLS = 30_000_000
MAX_CELL_CHARS = 32_767
MAX_COLUMNS = 2000
FINDINGS_KEPT = 100_000
GROUPS_KEPT = 200
WORKBOOK_ROWS = 200_000


def is_bomb(*, packed: int, unpacked: int) -> bool:
    """Whether a member of a zip grows more than honest tables do."""
    return unpacked > RATIO_FREE_BYTES and unpacked > packed * MAX_RATIO
