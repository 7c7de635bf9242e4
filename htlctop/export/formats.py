"""The formats that a document can be written in."""

from enum import StrEnum

from htlctop.export import csv, json, markdown, text
from htlctop.export.table import Document


class Format(StrEnum):
    """By the name that `--format` takes."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    MD = "md"

    @property
    def suffix(self) -> str:
        """What a file of it is named."""
        return ".txt" if self is Format.TEXT else f".{self.value}"


_RENDERERS = {
    Format.TEXT: text.render,
    Format.JSON: json.render,
    Format.CSV: csv.render,
    Format.MD: markdown.render,
}


def render(document: Document, form: Format) -> str:
    """The document in a format."""
    return _RENDERERS[form](document)
