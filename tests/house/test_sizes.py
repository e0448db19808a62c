from tests.house.source import Source, percentile, product

FILE_LIMIT, FILE_P95 = 800, 400
FUNCTION_LIMIT, FUNCTION_P95 = 80, 40
KERNEL_LIMIT = 1000


def lines(source: Source) -> int:
    return source.text.count("\n")


def function_lines() -> dict[str, int]:
    return {
        f"{source.name}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for source in product()
        for node in source.functions
    }


def test_no_file_is_longer_than_the_limit() -> None:
    assert {source.name: lines(source) for source in product() if lines(source) > FILE_LIMIT} == {}


def test_most_files_are_short() -> None:
    assert percentile([lines(source) for source in product()], 0.95) <= FILE_P95


def test_no_function_is_longer_than_the_limit() -> None:
    assert {name: size for name, size in function_lines().items() if size > FUNCTION_LIMIT} == {}


def test_most_functions_are_short() -> None:
    assert percentile(list(function_lines().values()), 0.95) <= FUNCTION_P95


def test_the_ground_stays_small() -> None:
    assert sum(lines(source) for source in product() if source.name.startswith("src/shuren/kernel/")) <= KERNEL_LIMIT
