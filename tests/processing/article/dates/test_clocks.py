"""Times in words, bare hours and zones in words. A time that cannot be read for certain is left out, never wrong."""

import pytest

from processing.article.dates.dates import read_date


def read(text: str, language: str | None) -> str:
    found = read_date(text, month_first=language == "en", language=language)
    return f"{found[0]:%Y-%m-%d %H:%M} {found[1] or ''}".strip() if found else "none"


@pytest.mark.parametrize(
    ("language", "text", "time"),
    [
        ("en", "7 March 2025 at 9h30", "09:30"),
        ("en", "7 March 2025, 0930 GMT", "09:30 +00:00"),
        ("fr", "7 mars 2025 à 5h", "05:00"),
        ("fr", "7 mars 2025 à 9 h 05 min", "09:05"),
        ("pt", "07/03/2025 15h30min", "15:30"),
        ("es", "7 de marzo de 2025 - 15h30m", "15:30"),
        ("es", "7 de marzo de 2025 a las 5h", "05:00"),
        ("en", "March 7, 2025 at noon", "12:00"),
        ("en", "Noon, March 7, 2025", "12:00"),
        ("en", "March 7, 2025 at noon ET", "12:00 -05:00"),
        ("en", "7 Mar 2025 0930 hrs IST", "09:30 +05:30"),
        ("en", "7th of March, 2025 at 21:30 hours", "21:30"),
        ("en", "at 9 p.m. on March 7, 2025", "21:00"),
        ("en", "9.30am GMT on 7 March 2025", "09:30 +00:00"),
        ("en", "21:30, 7 March 2025 (UTC)", "21:30 +00:00"),
        ("fr", "7 mars 2025 à midi", "12:00"),
        ("fr", "7 mars 2025 à 9h30 heure de Montréal", "09:30 -05:00"),
        ("es", "7 de marzo de 2025 al mediodía", "12:00"),
        ("es", "7 de marzo de 2025 a las 12 del mediodía", "12:00"),
        ("es", "7 de marzo de 2025 a las 9.30 horas", "09:30"),
        ("it", "7 marzo 2025 a mezzogiorno", "12:00"),
        ("it", "7 marzo 2025 alle ore 21", "21:00"),
        ("it", "7 marzo 2025 alle 9 di sera", "21:00"),
        ("pt", "7 de março de 2025 às 9:30 (horário de Brasília)", "09:30 -03:00"),
        ("nl", "7 maart 2025, 's middags 3 uur", "15:00"),
        ("pl", "7 marca 2025 o 9 wieczorem", "21:00"),
        ("ru", "7 марта 2025, 9 часов вечера", "21:00"),
        ("sv", "7 mars 2025 kl 21", "21:00"),
        ("fi", "pe 7.3.2025 klo 21", "21:00"),
        ("ja", "2025年3月7日 正午", "12:00"),
        ("zh", "2025年3月7日晚间8时30分", "20:30"),
        ("zh", "2025年3月7日 9:30 美东时间", "09:30 -05:00"),
        ("ar", "7 مارس 2025 9:30 بتوقيت مكة", "09:30 +03:00"),
        ("en", "March 7, 2025 9:30 Central European Summer Time", "09:30 +02:00"),
        ("en", "March 7, 2025 9:30 MSK+2", "09:30 +05:00"),
        ("en", "March 7, 2025 9:30 a.m. Eastern", "09:30 -05:00"),
        ("en", "March 7, 2025 9:30 AP", "09:30"),
        ("en", "20250307T093000.000Z", "09:30 +00:00"),
        ("en", "20250307 09:30", "09:30"),
    ],
)
def test_times_in_words(language: str, text: str, time: str) -> None:
    assert read(text, language) == f"2025-03-07 {time}"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("fr", "7 mars 2025 à midi et demi"),
        ("zh", "2025年3月7日夜里8时30分"),  # the evening or the night
        ("pt", "07/03/2025 | Atualizado às 21h30"),  # the time of the change
        ("en", "March 7 2025 - 2:15 length"),
        ("en", "March 7, 2025 · 5h"),
        ("en", "7 March 2025 (2h 30m)"),
        ("en", "7 March 2025 | 3h 20min"),
        ("de", "7. März 2025 5h Fahrt"),
        ("pt", "07/03/2025 2h30min"),
        ("de", "7. März 2025. 2030 ist Schluss"),
        ("fr", "7 mars 2025. 2023 est une année"),
        ("en", "March 7, 2025 · 1945 Est. winery"),
        ("fr", "7 mars 2025, il y a 2 heures"),
        ("es", "7 de marzo de 2025, hace 2 horas"),
        ("de", "Platz 3 am 7. März 2025"),
        ("fr", "7 mars 2025 - 24 h Le Mans"),
        ("ar", "7 مارس 2025 9:30 بتوقيت طنجة"),
        ("pt", "7 de março de 2025 - 2h de leitura"),
        ("nl", "7 maart 2025 3 uur geleden"),
        ("ru", "7 марта 2025 5 часов назад"),
        ("en", "March 7, 2025 1000 hours of video"),
        ("en", "3h · 7 March 2025"),
        ("en", "Noon Town, 7 March 2025"),
        ("fr", "7 mars 2025 Midi-Pyrénées"),
        ("it", "7 marzo 2025 Mezzogiorno di fuoco"),
        ("de", "Ausgabe 12.30 7. März 2025"),
    ],
)
def test_what_is_no_certain_time_leaves_the_day(language: str, text: str) -> None:
    assert read(text, language) == "2025-03-07 00:00"


@pytest.mark.parametrize("text", ["March 7,2025", "Mar.7,2025", "2025-Mar-07"])
def test_dates_without_blanks(text: str) -> None:
    assert read(text, "en") == "2025-03-07 00:00"
