"""Every reason has a sentence for users, and the page in the docs is made from these sentences."""

from __future__ import annotations

from schemas.outcomes import Reason
from tests.schemas.reasons_page import PAGE, reasons_page


def test_every_reason_has_a_sentence() -> None:
    assert [reason for reason in Reason if not (reason.meaning.endswith(".") and reason.meaning[0].isupper())] == []
    assert len({reason.meaning for reason in Reason}) == len(Reason)


def test_a_reason_is_read_by_its_stored_value() -> None:
    assert Reason("hub") is Reason.HUB
    assert f"{Reason.HUB}" == "hub"


def test_the_page_has_every_reason() -> None:
    assert PAGE.read_text(encoding="utf-8") == reasons_page(), "run `python -m tests.schemas.reasons_page`"
