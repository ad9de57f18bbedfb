"""The head of a record as it is published: whoever noted it sees later that the whole chain was made anew.

The chain of a timeline shows a change to whoever holds one later digest. The last one stands in `incident.json`, beside the
timeline, so whoever can write there can rewrite both. A head in a place that they cannot write to, such as a ticket, an
e-mail or a newspaper, shows that too: this is how Haber and Stornetta anchored their chain, https://doi.org/10.1007/BF00196791.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tars_lib.errors import InputError

_LINE = re.compile(r"(INC-\d{12}(?:-[1-9]\d*)?) entry ([1-9]\d{0,8}) sha256 ([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """The digest of the last entry that a record had, and its number."""

    incident_id: str
    entry: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.incident_id} entry {self.entry} sha256 {self.sha256}"


def read_heads(text: str, where: str) -> tuple[PublishedHead, ...]:
    """Return every head in a text, such as a ticket or an e-mail that holds others beside it.

    Raise InputError if there is none.

    Examples
    --------
    >>> read_heads(f"noted: INC-202601051430 entry 12 sha256 {'a' * 64}.", "ticket")[0].entry
    12
    """
    published = tuple(PublishedHead(name, int(entry), digest) for name, entry, digest in _LINE.findall(text))
    if not published:
        raise InputError(f"{where}: no head in it; a line as `tars incident head` prints it is needed")
    return published


def compare(incident_id: str, digests: Sequence[str], heads: Iterable[PublishedHead]) -> list[str]:
    """Return sentences on each published head of an incident that its record does not hold.

    Parameters
    ----------
    digests : sequence of str
        Of its entries, the first first.
    heads : iterable of PublishedHead
        Those of other incidents are passed over; where all are, that is a fault too.
    """
    own = [head for head in heads if head.incident_id == incident_id]
    if not own:
        return [f"none of the published heads is of {incident_id}"]
    faults = []
    for head in own:
        if head.entry > len(digests):
            faults.append(f"entry {head.entry} was published, and there are {len(digests)}: the end is not there")
        elif digests[head.entry - 1] != head.sha256:
            faults.append(
                f"entry {head.entry} has the digest {digests[head.entry - 1]}, and {head.sha256} was published: the record "
                "was rewritten, or made anew, from that entry or an earlier one on"
            )
    return faults
