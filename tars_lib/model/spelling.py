"""Names that are written in several ways: which are one for certain, and which only look so.

Blanks at the ends, characters that cannot be seen and the two codings of an accent (Unicode UAX 15) never tell two names apart.
Letter case may: two names that differ by it alone are one where their samples fit into one series, and are told where not.
Letters of another alphabet that look the same (Unicode UTS 39), and dashes in place of underscores, are told only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tars_lib.model.samples import AnySamples, Samples
from tars_lib.text.counts import and_more

_SHOWN = 5
"""Names that one warning lists; judgement: enough to find the source."""
_BLANKS = re.compile(r"\s+")
_BETWEEN = re.compile(r"[-_.\s]+")
# joiners have a meaning between letters of other scripts and within pictures: Unicode, chapter 23.2
_JOINERS = "\u200c\u200d"
# a selection of https://www.unicode.org/Public/security/latest/confusables.txt: letters that stand in words of Latin script
_LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u04bb\u0501\u051b\u051d\u0405\u0410\u0412\u0415"
    "\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c"
    "\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03b1\u03bd\u0131\u2010\u2011\u2012\u2013\u2014\u2212\u2024\u2215",
    "aeopcyxijshdqwSABEKMHOPCTXIJABEZHIKMNOPTYXoavi------./",
)


def trimmed(name: str) -> str:
    r"""A name without blanks at its ends and without characters that cannot be seen, its accents composed.

    Examples
    --------
    >>> trimmed("\u00a0web\u200b\t")
    'web'
    """
    if name.isascii() and name.isprintable():
        return name.strip()
    seen = "".join(char for number, char in enumerate(name) if not _is_hidden(name, number))
    return _BLANKS.sub(lambda blank: blank[0] if "\n" in blank[0] else " ", unicodedata.normalize("NFC", seen).strip())


def _is_hidden(name: str, number: int) -> bool:
    char = name[number]
    if unicodedata.category(char) != "Cf" or char >= "\U000e0000":  # tags are parts of flags
        return False
    around = name[max(number - 1, 0) : number] + name[number + 1 : number + 2]
    return char not in _JOINERS or around.isascii()


@dataclass(frozen=True, slots=True)
class Spelling:
    """Reading of names: `read_as` has an entry for each that is not read as it stands."""

    read_as: Mapping[str, str]
    notes: tuple[str, ...]

    def of(self, name: str) -> str:
        """The name that this one is read as."""
        return self.read_as.get(name, name)


def spellings(samples: AnySamples, column: str, declared: Collection[str], others: Collection[str] = ()) -> Spelling:
    """Find which names of a column are one.

    Parameters
    ----------
    samples : Samples or Parted
    column : str
        ``repo`` or ``metric``.
    declared : collection of str
        Names as the configuration writes them: two of them are two, and one of them stands before any other spelling.
    others : collection of str
        Further names beside those of the samples, such as folders and known metrics.
    """
    names = samples.repos if column == "repo" else samples.metrics
    known = dict.fromkeys((*declared, *others, *names))
    present = {*names, *(others if column == "repo" else ())}
    clean = {name: trimmed(name) for name in known}
    read_as = {name: clean[name] for name in present if clean[name] != name and name not in declared}
    for name in declared:  # an odd spelling in the configuration is followed
        for other in present:
            if other != name and other not in declared and clean[other] == clean[name]:
                read_as[other] = name
    notes = [_note(column, read_as, "blanks at the ends and characters that cannot be seen do not make another name")]
    notes += _cases(samples, column, known, (declared, others), read_as)
    final = dict.fromkeys(read_as.get(name, name) for name in (*present, *declared))
    notes += _lookalikes(column, final, {read_as.get(name, name) for name in present})
    return Spelling(read_as, tuple(note for note in notes if note))


def respelt(samples: AnySamples, repos: Spelling, metrics: Spelling) -> AnySamples:
    """The same samples under the names that they are read as."""
    return replace(
        samples,
        repos=tuple(repos.of(name) for name in samples.repos),
        metrics=tuple(metrics.of(name) for name in samples.metrics),
    )


def _cases(
    samples: AnySamples,
    column: str,
    known: Iterable[str],
    preferred: tuple[Collection[str], Collection[str]],
    read_as: dict[str, str],
) -> list[str]:
    """Join names that differ by letter case where they fit into one series; say so, or that they were kept apart."""
    groups: dict[str, set[str]] = {}
    for name in known:
        final = read_as.get(name, name)
        groups.setdefault(final.casefold(), set()).add(final)
    joined: dict[str, str] = {}
    notes = []
    declared, others = preferred
    for group in (sorted(group) for group in groups.values() if len(group) > 1):
        count = {name: _counted(samples, column, name, read_as) for name in group}
        sampled = [name for name in group if count[name]]
        apart = [name for name in group if name in declared]
        if len(apart) < 2 and _fit(samples, column, sampled, read_as):
            chosen = max(group, key=lambda name: (name in declared, name in others, count[name], name))
            joined |= {name: chosen for name in group if name != chosen}
        elif sampled:
            names = " and ".join(repr(name) for name in group)
            notes.append(f"{column}s {names} differ only in letter case and are two; one spelling would join them")
    for name in known:
        final = read_as.get(name, name)
        if final in joined:
            read_as[name] = joined[final]
    announced = {name: chosen for name, chosen in joined.items() if name not in others or column == "repo"}
    notes.append(_note(column, announced, "their letter case alone differs, and their samples fit into one series"))
    return notes


def _counted(samples: AnySamples, column: str, final: str, read_as: Mapping[str, str]) -> int:
    return sum(int(_rows(part, column, final, read_as).sum()) for part in samples.parts())


def _rows(samples: Samples, column: str, final: str, read_as: Mapping[str, str]) -> NDArray[np.bool_]:
    codes = samples.repo if column == "repo" else samples.metric
    names = samples.repos if column == "repo" else samples.metrics
    wanted = np.array([read_as.get(name, name) == final for name in names] + [False])
    return np.asarray(wanted[codes], dtype=np.bool_)


def _fit(samples: AnySamples, column: str, names: Sequence[str], read_as: Mapping[str, str]) -> bool:
    """Return whether samples of several names make one series: no time twice, none much closer than is usual.

    Two sources that measure the same at times of their own would stand close together now and then.
    """
    times_of: dict[int, list[NDArray[np.int64]]] = {}
    for number, name in enumerate(names):
        for part in samples.parts():
            mask = _rows(part, column, name, read_as)
            other, time = (part.metric if column == "repo" else part.repo)[mask], part.time[mask]
            for code in np.unique(other).tolist():
                times = times_of.setdefault(code, [np.zeros(0, dtype=np.int64) for _ in names])
                times[number] = np.concatenate((times[number], time[other == code]))
    for times in times_of.values():
        joint = np.sort(np.concatenate(times))
        spellings_seen = sum(part.size > 0 for part in times)
        if spellings_seen < 2:
            continue
        steps = np.diff(joint)
        shortest = steps.min()
        # where names take turns, each is as far from itself as there are names
        own = min((float(np.median(np.diff(np.sort(part)))) for part in times if part.size > 1), default=0.0)
        if not shortest or shortest * 2 < np.median(steps) or shortest * spellings_seen < own:
            return False
    return True


def _lookalikes(column: str, names: Iterable[str], present: Collection[str]) -> list[str]:
    seen: dict[str, str] = {}
    notes = []
    for name in sorted(names):
        looks = _BETWEEN.sub("-", unicodedata.normalize("NFKC", name).translate(_LOOKS))
        first = seen.setdefault(looks, name)
        if first != name and {first, name} & set(present):
            notes.append(f"{column}s {first!a} and {name!a} read alike and are two; one spelling would join them")
    return notes


def _note(column: str, read_as: Mapping[str, str], why: str) -> str:
    if not read_as:
        return ""
    shown = [f"{name!a} as {final!a}" for name, final in sorted(read_as.items())]
    noun = "name is" if len(shown) == 1 else "names are"
    return f"{len(shown)} {column} {noun} read in another spelling: {and_more(shown, _SHOWN)}: {why}"
