"""What happened in a run of the demo, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from processing.publish.report import RunReport
from schemas.manifest import Manifest
from schemas.numbers import plural

PRODUCTS, OFFERS = "products", "offers"


def story(manifest: Manifest, report: RunReport, shop_manifests: Sequence[Manifest], shop_reports: Sequence[RunReport]) -> Iterator[str]:
    """The lines for the news sites, and those for the shop."""
    yield from _news(manifest, report)
    yield ""
    yield from _shop(shop_manifests, shop_reports)


def _news(manifest: Manifest, report: RunReport) -> Iterator[str]:
    yield "The news sites. crawl_demo fetched the pages that were due, and process_demo made articles of them:"
    yield f"URLs:    {manifest.counts.text()}"
    yield f"Records: {report.equation()}"
    copies = f"; copies of others among them: {report.duplicate:,}" if report.duplicate else ""
    yield (
        f"Each response has one outcome. {plural(report.published + report.duplicate, 'article', 'is', 'are')} new or changed{copies}. "
        f"{plural(report.known, 'page', 'is', 'are')} unchanged, and not stored again."
    )


def _shop(manifests: Sequence[Manifest], reports: Sequence[RunReport]) -> Iterator[str]:
    fetched = " and then ".join(f"{manifest.counts.fetched:,}" for manifest in manifests)
    again = " Between the two its clock moved on by six hours, as it does before each crawl." if len(manifests) > 1 else ""
    yield f"The shop. crawl_shop fetched {fetched} pages, and process_shop made rows of two datasets of them.{again}"
    for name, what in ((PRODUCTS, "from the schema.org data of the pages"), (OFFERS, "by the selectors in datasets/offers.yaml")):
        counts = [report.datasets[name] for report in reports if name in report.datasets]
        made, published, unchanged, quarantined = (
            sum(one[key] for one in counts) for key in ("made", "published", "unchanged", "quarantined")
        )
        yield f"{name}: {plural(made, 'row')}, {what}: {published:,} published + {unchanged:,} unchanged + {quarantined:,} quarantined"
