"""A text that may name authors, and its source."""

from __future__ import annotations

from typing import NamedTuple

from processing.article.metadata.people.names import names_in, names_of_person


class Candidate(NamedTuple):
    """A text that may name authors, and its source. `whole`: the text is only names. `person`: it is the name of a structured Person."""

    source: str
    text: str
    whole: bool = True
    person: bool = False

    def names(self) -> list[str]:
        """The names in the text."""
        return names_of_person(self.text) if self.person else names_in(self.text, self.whole)
