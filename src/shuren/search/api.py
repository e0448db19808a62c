"""The face of search: put documents into the one index, and find them inside a scope."""

from shuren.search.rules.pinyin import name_syllables, text_syllables
from shuren.search.selectors import find
from shuren.search.services import index_documents, remove_documents, remove_kind, settle_index

__all__ = ["find", "index_documents", "name_syllables", "remove_documents", "remove_kind", "settle_index", "text_syllables"]
