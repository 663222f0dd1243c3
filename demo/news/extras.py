"""Pages that are not articles: galleries, a video, a live blog, a shop page, about pages."""

from __future__ import annotations

from demo.sites import Site

Plain = tuple[str, str, list[str]]  # path, title, paragraphs


def plain_pages(site: Site) -> list[Plain]:
    """The site's pages without an article."""
    return _courier() if site.index == 0 else _nordlicht()


def _courier() -> list[Plain]:
    galleries = [
        (f"/gallery/{name}", f"In pictures: {title}", [f"Picture {n} of 9: {title}." for n in range(1, 10)])
        for name, title in (("regatta", "the Alder regatta"), ("fog", "a week of fog"), ("market", "the last night market"))
    ]
    live = [f"{hour}:{minute:02} – {line}" for hour, minute, line in _LIVE]
    return [
        *galleries,
        ("/video/harbour-from-above", "Video: the harbour from above", ["Watch: 2 min 14 s.", "Play", "Mute", "Full screen"]),
        ("/live/council-night", "Live: council night in Port Alder", live),
        ("/shop/harbour-print", "Harbour print, 40 x 60 cm", ["24.00", "In stock.", "Add to basket", "4.6 of 5 stars (31 reviews)"]),
        ("/search", "Search", ["Type a word to search the archive."]),
        ("/about", "About the Courier", ["The Meridian Courier is an invented newspaper.", "Editor: Maya Kerrigan."]),
        ("/private/archive", "Archive for staff", ["This page is not for robots."]),
    ]  # fmt: skip


def _nordlicht() -> list[Plain]:
    galleries = [
        (f"/bilder/{name}.html", f"Bilderstrecke: {title}", [f"Bild {n} von 8: {title}" for n in range(1, 9)])
        for name, title in (("hafenfest", "Das Hafenfest"), ("winterlicht", "Winterlicht über dem Deich"))
    ]
    return [
        *galleries,
        ("/video/deich.html", "Video: Ein Tag am Deich", ["Abspielen", "Dauer: 3:40"]),
        ("/liveticker/sturm.html", "Liveticker: Der Sturm", [f"{hour}.{minute:02} Uhr: {line}" for hour, minute, line in _TICKER]),
        ("/suche", "Suche", ["Geben Sie ein Wort ein."]),
        (
            "/impressum.html",
            "Impressum",
            ["Die Nordlicht-Zeitung ist eine erfundene Zeitung. Nichts von dem, was sie meldet, ist geschehen."],
        ),
        ("/intern/archiv.html", "Archiv der Redaktion", ["Diese Seite ist nicht für Roboter."]),
    ]


_LIVE = [
    (18, 2, "The doors are open and the gallery is filling up."), (18, 40, "First vote: the minutes are approved, 22 to 4."),
    (19, 15, "The chair calls for order after whistles from the back."), (20, 31, "A break of ten minutes. Tea has run out."),
    (21, 48, "The tram motion is read for the third time."), (22, 55, "Passed. The session closes at five to eleven."),
]  # fmt: skip
_TICKER = [
    (6, 10, "Die erste Fähre fällt aus."), (7, 45, "Der Pegel steht bei 6,20 Metern."), (9, 30, "Schulfrei in drei Gemeinden."),
    (12, 5, "Ein Baum liegt auf den Gleisen."), (15, 20, "Der Wind dreht auf West."), (18, 0, "Die Warnung ist aufgehoben."),
]  # fmt: skip
