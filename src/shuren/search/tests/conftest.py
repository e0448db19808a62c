"""A small town to search in: one city, two districts, people with names that read alike."""

import pytest

from shuren.search.api import index_documents
from shuren.search.data import Document

DOCUMENTS = [
    Document("org", 1, "云岭市", path="1/"),
    Document("org", 15, "重庆路小学", "重小 3641000001", path="1/15/"),
    Document("org", 16, "育才小学", "育才 3651000002", path="1/16/"),
    Document("person", 1, "张三", "20260000000011 重庆路小学", path="1/15/"),
    Document("person", 2, "张三丰", "20260000000029 育才小学", path="1/16/"),
    Document("person", 3, "李张三", "20260000000037 育才小学", path="1/16/"),
    Document("person", 4, "赵四", "20260000000045 育才小学", path="1/16/", other_paths=("1/15/",)),
    Document("person", 5, "章珊", "20260000000053 重庆路小学", path="1/15/"),
]


@pytest.fixture
def town(db: None) -> None:
    index_documents(DOCUMENTS)
