"""Policy files as single documents: which files there are, what each holds, and in which form it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tars_lib.config.policies.queries import MAP_NAME
from tars_lib.config.yaml_file import read_documents
from tars_lib.errors import ConfigError
from tars_lib.files.limits import MAX_FILES
from tars_lib.files.reading import entries

SUFFIXES = (".yaml", ".yml")
LISTS = ("List", "SLOList", "ServiceLevelObjectiveList", "PrometheusServiceLevelList")


@dataclass(frozen=True, slots=True)
class Document:
    """One object of a policy file.

    Attributes
    ----------
    number : int
        Place in the file, from 1.
    """

    content: Mapping[str, Any]
    file: str
    number: int

    @property
    def where(self) -> str:
        """File and document, for the begin of a message."""
        metadata, kind = self.content.get("metadata"), self.content.get("kind")
        name = metadata.get("name") if isinstance(metadata, dict) else None
        if name and isinstance(kind, str):
            return f"{self.file}: {kind} {name}"
        return f"{self.file}: document {self.number}"

    @property
    def version(self) -> str:
        """`apiVersion`, or `version` where that is the form's word for it; empty where neither is text."""
        version = self.content.get("apiVersion", self.content.get("version"))
        return version if isinstance(version, str) else ""


def policy_files(path: Path, label: str) -> list[tuple[Path, str]]:
    """List the policy files of a path, each with its label: the file itself, or those of a folder and its folders, by name.

    Raises
    ------
    ConfigError
        If a folder holds none.
    """
    if not path.is_dir():
        return [(path, label)]
    files = list(_below(path, label))
    if not files:
        raise ConfigError(f"{label}: no policy file; a folder of {' or '.join(SUFFIXES)} files is needed")
    return files


def _below(folder: Path, label: str) -> Iterable[tuple[Path, str]]:
    for path in sorted(entries(folder, label, MAX_FILES, ConfigError)):
        name = f"{label}/{path.name}"
        if path.name.startswith(".") or path.name == MAP_NAME:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, name)
        elif path.suffix in SUFFIXES:
            yield path, name


def documents_of(path: Path, label: str) -> list[Document]:
    """Read the documents of a file: YAML documents, the items of a YAML list, the items of a Kubernetes list.

    Raises
    ------
    ConfigError
        If the file is not valid YAML, or an item is no mapping.
    """
    return split_documents(read_documents(path, label), label)


def split_documents(contents: Sequence[Any], label: str) -> list[Document]:
    """Return the objects that the YAML documents of a file hold; empty ones are passed over.

    Raises
    ------
    ConfigError
        If one of them is no mapping.
    """
    items: list[Any] = []
    for content in contents:
        if isinstance(content, list):
            items += content
        elif isinstance(content, dict) and content.get("kind") in LISTS and isinstance(content.get("items"), list):
            items += content["items"]
        else:
            items.append(content)
    documents = []
    for number, item in enumerate((item for item in items if item is not None), start=1):
        if not isinstance(item, dict):
            raise ConfigError(
                f"{label}: a list under the key policies is needed, or objects with apiVersion and kind; "
                f"document {number} is neither"
            )
        documents.append(Document(item, label, number))
    return documents
