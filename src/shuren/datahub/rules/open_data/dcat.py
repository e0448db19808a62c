"""The open data as a DCAT-AP 3 catalogue: what other portals harvest."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from rdflib import DCAT, DCTERMS, FOAF, RDF, XSD, BNode, Graph, Literal, Namespace, URIRef

ADMS = Namespace("http://www.w3.org/ns/adms#")
VERSION = URIRef("http://www.w3.org/ns/dcat#version")
SPDX = Namespace("http://spdx.org/rdf/terms#")
LICENCES = {
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
}
_FILE_TYPES = "http://publications.europa.eu/resource/authority/file-type/"
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_DATA_THEME = URIRef("http://publications.europa.eu/resource/authority/data-theme/EDUC")
_LANGUAGE = URIRef("http://publications.europa.eu/resource/authority/language/ZHO")
# The three forms in which the catalogue is given: rdflib's name, media type.
FORMS = {
    "jsonld": ("json-ld", "application/ld+json"),
    "ttl": ("turtle", "text/turtle"),
    "rdf": ("pretty-xml", "application/rdf+xml"),
}


@dataclass(frozen=True, slots=True)
class Distribution:
    """One file: its address, format (`CSV`, `PARQUET`), media type, size and SHA-256."""

    url: str
    form: str
    media_type: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An open dataset as the catalogue tells of it; `version` is the latest."""

    url: str
    number: str
    titles: tuple[tuple[str, str], ...]
    description: str
    keywords: tuple[str, ...]
    publisher: str
    licence: str
    opened_at: datetime
    changed_at: datetime
    version: int
    note: str
    distributions: tuple[Distribution, ...]


def catalogue_graph(*, url: str, title: str, publisher: str, entries: Iterable[Entry]) -> Graph:
    """The whole catalogue; addresses are absolute."""
    graph = Graph()
    for prefix, namespace in (("dcat", DCAT), ("dcterms", DCTERMS), ("foaf", FOAF), ("adms", ADMS), ("spdx", SPDX)):
        graph.bind(prefix, namespace)
    catalogue = URIRef(url)
    graph.add((catalogue, RDF.type, DCAT.Catalog))
    graph.add((catalogue, DCTERMS.title, Literal(title, lang="zh")))
    graph.add((catalogue, DCTERMS.description, Literal(title, lang="zh")))
    graph.add((catalogue, DCTERMS.publisher, _agent(graph, url, publisher)))
    graph.add((catalogue, DCTERMS.language, _LANGUAGE))
    graph.add((catalogue, FOAF.homepage, catalogue))
    for entry in entries:
        graph.add((catalogue, DCAT.dataset, _dataset(graph, url, entry)))
    return graph


def _dataset(graph: Graph, url: str, entry: Entry) -> URIRef:
    node = URIRef(entry.url)
    graph.add((node, RDF.type, DCAT.Dataset))
    for language, text in entry.titles:
        graph.add((node, DCTERMS.title, Literal(text, lang=language)))
    graph.add((node, DCTERMS.description, Literal(entry.description or entry.titles[0][1], lang="zh")))
    graph.add((node, DCTERMS.identifier, Literal(entry.number)))
    graph.add((node, DCTERMS.publisher, _agent(graph, url, entry.publisher)))
    graph.add((node, DCTERMS.issued, Literal(entry.opened_at.isoformat(), datatype=XSD.dateTime)))
    graph.add((node, DCTERMS.modified, Literal(entry.changed_at.isoformat(), datatype=XSD.dateTime)))
    graph.add((node, VERSION, Literal(str(entry.version))))
    graph.add((node, DCAT.theme, _DATA_THEME))
    graph.add((node, DCTERMS.language, _LANGUAGE))
    graph.add((node, DCAT.landingPage, node))
    if entry.note:
        graph.add((node, ADMS.versionNotes, Literal(entry.note, lang="zh")))
    for word in entry.keywords:
        graph.add((node, DCAT.keyword, Literal(word, lang="zh")))
    for distribution in entry.distributions:
        graph.add((node, DCAT.distribution, _distribution(graph, entry, distribution)))
    return node


def _distribution(graph: Graph, entry: Entry, told: Distribution) -> URIRef:
    node = URIRef(f"{told.url}#distribution")
    graph.add((node, RDF.type, DCAT.Distribution))
    graph.add((node, DCTERMS.title, Literal(told.form)))
    graph.add((node, DCAT.accessURL, URIRef(entry.url)))
    graph.add((node, DCAT.downloadURL, URIRef(told.url)))
    graph.add((node, DCTERMS.format, URIRef(f"{_FILE_TYPES}{told.form}")))
    graph.add((node, DCAT.mediaType, URIRef(f"{_MEDIA_TYPES}{told.media_type}")))
    graph.add((node, DCAT.byteSize, Literal(told.bytes, datatype=XSD.nonNegativeInteger)))
    graph.add((node, DCTERMS.license, URIRef(LICENCES[entry.licence])))
    checksum = BNode()
    graph.add((node, SPDX.checksum, checksum))
    graph.add((checksum, RDF.type, SPDX.Checksum))
    graph.add((checksum, SPDX.algorithm, SPDX.checksumAlgorithm_sha256))
    graph.add((checksum, SPDX.checksumValue, Literal(told.sha256, datatype=XSD.hexBinary)))
    return node


def _agent(graph: Graph, url: str, name: str) -> URIRef:
    node = URIRef(f"{url}#publisher-{sha256(name.encode()).hexdigest()[:16]}")
    graph.add((node, RDF.type, FOAF.Agent))
    graph.add((node, FOAF.name, Literal(name, lang="zh")))
    return node
