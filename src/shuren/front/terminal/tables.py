"""Plain tables in a terminal, where a Chinese character is two columns wide."""

from unicodedata import east_asian_width


def width(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def table(header: list[str], rows: list[list[str]]) -> str:
    """The rows under their header, columns aligned for any mix of scripts."""
    widths = [max(width(cell) for cell in column) for column in zip(header, *rows, strict=True)]

    def line(cells: list[str]) -> str:
        return "  ".join(cell + " " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=True)).rstrip()

    return "\n".join([line(header), "  ".join("-" * wide for wide in widths), *map(line, rows)])
