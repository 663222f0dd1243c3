"""Former names of modules, for one release: an import by the former name works, with a DeprecationWarning."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

MOVED = {
    "crawlhouse.accountingview": "crawlhouse.output.accounting",
    "crawlhouse.airflowapi": "crawlhouse.airflow.api",
    "crawlhouse.airflowdatabase": "crawlhouse.airflow.database",
    "crawlhouse.airflowhome": "crawlhouse.airflow.home",
    "crawlhouse.checkcommand": "crawlhouse.commands.check",
    "crawlhouse.clusterinit": "crawlhouse.cluster_init",
    "crawlhouse.console": "crawlhouse.output.console",
    "crawlhouse.crawlcommand": "crawlhouse.commands.crawl",
    "crawlhouse.crawllock": "crawlhouse.command_lock",
    "crawlhouse.crawlnames": "crawlhouse.commands.names",
    "crawlhouse.crawlwords": "crawlhouse.output.crawl",
    "crawlhouse.demosite": "crawlhouse.demo.demo_site",
    "crawlhouse.dossier": "crawlhouse.reports.url_report",
    "crawlhouse.dossierview": "crawlhouse.output.url_report",
    "crawlhouse.executor": "crawlhouse.airflow.executor",
    "crawlhouse.explaincommand": "crawlhouse.commands.explain",
    "crawlhouse.explanation": "crawlhouse.reports.explanation",
    "crawlhouse.extractcommand": "crawlhouse.commands.extract",
    "crawlhouse.failures": "crawlhouse.output.failures",
    "crawlhouse.fetchcommand": "crawlhouse.commands.fetch",
    "crawlhouse.fieldsources": "crawlhouse.reports.provenance",
    "crawlhouse.frontiercommand": "crawlhouse.commands.frontier",
    "crawlhouse.goldenview": "crawlhouse.output.golden",
    "crawlhouse.initcommand": "crawlhouse.commands.init",
    "crawlhouse.plugin": "crawlhouse.airflow.plugin",
    "crawlhouse.processes": "crawlhouse.airflow.processes",
    "crawlhouse.querycommand": "crawlhouse.commands.lake.query",
    "crawlhouse.revisitwords": "crawlhouse.reports.revisit",
    "crawlhouse.rowformats": "crawlhouse.output.row_formats",
    "crawlhouse.showcommand": "crawlhouse.commands.lake.show",
    "crawlhouse.sqlquery": "crawlhouse.sql.query",
    "crawlhouse.stack": "crawlhouse.airflow.stack",
    "crawlhouse.stackcommand": "crawlhouse.commands.stack",
    "crawlhouse.stackrunner": "crawlhouse.airflow.stack_runner",
    "crawlhouse.statusview": "crawlhouse.output.status",
    "crawlhouse.stopcommand": "crawlhouse.commands.stop",
    "crawlhouse.takedowncommand": "crawlhouse.commands.lake.takedown",
    "crawlhouse.trial": "crawlhouse.reports.check_run",
    "demo.answer": "demo.response",
    "processing.accounting": "processing.publish.accounting",
    "processing.article.authors": "processing.article.metadata.people.authors",
    "processing.article.blocks": "processing.article.body.blocks",
    "processing.article.confidence": "processing.article.body.confidence",
    "processing.article.container": "processing.article.outline.container",
    "processing.article.metadata.dates": "processing.article.dates.dates",
    "processing.article.forms": "processing.article.body.forms",
    "processing.article.furniture": "processing.article.body.boilerplate",
    "processing.article.hostcontainer": "processing.article.outline.host_container",
    "processing.article.jsonld": "processing.article.metadata.jsonld",
    "processing.article.markup": "processing.article.metadata.markup",
    "processing.article.metadata.authors": "processing.article.metadata.people.authors",
    "processing.article.names": "processing.article.outline.names",
    "processing.article.origins": "processing.article.provenance",
    "processing.article.pagefeatures": "processing.article.pagetype.features",
    "processing.article.pageshape": "processing.article.pagetype.shape",
    "processing.article.pagetypemodel": "processing.article.pagetype.model",
    "processing.article.pagewords": "processing.article.pagetype.words",
    "processing.article.parse": "processing.article.tree.parse",
    "processing.article.phrases": "processing.article.body.phrases",
    "processing.article.places": "processing.article.metadata.field_sources",
    "processing.article.rescue": "processing.article.body.fallback",
    "processing.article.scripts": "processing.article.tree.scripts",
    "processing.article.siterules": "processing.article.site_rules",
    "processing.article.surroundings": "processing.article.metadata.surroundings",
    "processing.article.tags": "processing.article.outline.tags",
    "processing.article.times": "processing.article.metadata.times",
    "processing.article.titles": "processing.article.metadata.titles.titles",
    "processing.article.visible": "processing.article.tree.visible",
    "processing.article.walk": "processing.article.outline.walk",
    "processing.bucketspill": "processing.staging.bucket_spill",
    "processing.cards": "processing.resolve.records",
    "processing.charsets": "storage.warc.charsets",
    "processing.cleaning": "processing.clean.cleaning",
    "processing.containersightings": "processing.clean.container_occurrences",
    "processing.decisions": "processing.resolve.decisions",
    "processing.decode": "processing.extract.decode",
    "processing.duplicates": "processing.resolve.near_duplicates",
    "processing.extraction": "processing.extract.extraction",
    "processing.gate": "processing.publish.gate",
    "processing.gateprocess": "processing.expectations.suite_process",
    "processing.goldenpages": "processing.extract.checks.golden_pages",
    "processing.heap": "processing.workers.heap",
    "processing.identity": "processing.clean.identity",
    "processing.lakeview": "processing.resolve.earlier_rows",
    "processing.language": "processing.clean.language",
    "processing.memoryfile": "processing.clean.memory_file",
    "processing.minhash": "processing.clean.minhash",
    "processing.optout": "processing.extract.robots_meta",
    "processing.pageprocess": "processing.workers.child",
    "processing.pageworkers": "processing.workers.pool",
    "processing.policy": "processing.clean.policy",
    "processing.publish.expectations": "processing.expectations.expectations",
    "processing.publish.gate_process": "processing.expectations.suite_process",
    "processing.report": "processing.publish.report",
    "processing.resolution": "processing.resolve.resolution",
    "processing.rulecheck": "processing.extract.checks.rule_check",
    "processing.sightings": "processing.clean.block_occurrences",
    "processing.signals": "processing.clean.signals",
    "processing.sitememory": "processing.clean.site_memory",
    "processing.warcfiles": "processing.files.warc_files",
    "processing.warcsources": "processing.files.warc_sources",
    "processing.words": "processing.clean.words",
    "runtime.results": "runtime.child_results",
    "schemas.codeversion": "runtime.code_version",
    "schemas.crawl": "schemas.config.crawl",
    "schemas.crawlfile": "schemas.config.crawl_file",
    "schemas.directives": "schemas.web.directives",
    "schemas.failpoint": "runtime.failpoint",
    "schemas.goldenpage": "schemas.config.golden_page",
    "schemas.settings": "schemas.config.settings",
    "spiders.abandoned": "spiders.closing.abandoned",
    "spiders.addressguard": "spiders.download.address_guard",
    "spiders.answer": "spiders.discover.response",
    "spiders.callbacks": "spiders.custom.callbacks",
    "spiders.canonical": "spiders.urls.canonical",
    "spiders.credentials": "spiders.download.credentials",
    "spiders.downloadhandler": "spiders.download.handler",
    "spiders.failure": "spiders.download.failure",
    "spiders.feeds": "spiders.discover.feeds",
    "spiders.fetch": "spiders.session.url_in_progress",
    "spiders.fullresponse": "spiders.custom.full_response",
    "spiders.hosts": "spiders.session.host",
    "spiders.items": "spiders.spool.items",
    "spiders.kinds": "spiders.discover.kinds",
    "spiders.linkmemory": "spiders.discover.link_memory",
    "spiders.links": "spiders.discover.links",
    "spiders.liveline": "spiders.progress",
    "spiders.marks": "spiders.session.url_results",
    "spiders.mediatypes": "spiders.download.media_types",
    "spiders.nextvisit": "spiders.schedule.next_visit",
    "spiders.optouts": "spiders.permission.opt_outs",
    "spiders.ownspider": "spiders.custom.loader",
    "spiders.pace": "spiders.session.pace",
    "spiders.pagebudget": "spiders.session.page_budget",
    "spiders.process": "spiders.worker_process",
    "spiders.registrar": "spiders.spool.registrar",
    "spiders.repair": "spiders.spool.repair",
    "spiders.requesttext": "spiders.custom.request_text",
    "spiders.revisit": "spiders.schedule.revisit",
    "spiders.robots": "spiders.permission.robots",
    "spiders.robotsreader": "spiders.session.robots_fetch",
    "spiders.runstatistics": "spiders.closing.run_statistics",
    "spiders.scope": "spiders.urls.scope",
    "spiders.scrapysettings": "spiders.scrapy_settings",
    "spiders.seedfile": "spiders.seed_file",
    "spiders.session.fetch": "spiders.session.url_in_progress",
    "spiders.session.outbox": "spiders.session.request_queue",
    "spiders.session.results": "spiders.session.url_results",
    "spiders.sessionids": "spiders.urls.session_ids",
    "spiders.settling": "spiders.session.exchange",
    "spiders.site": "spiders.scrapy_spider",
    "spiders.sitemaps": "spiders.discover.sitemaps",
    "spiders.statistics": "spiders.spool.statistics",
    "spiders.subresources": "spiders.browser.subresources",
    "spiders.surplus": "spiders.download.lenient_http",
    "spiders.tdmreader": "spiders.session.origin_file",
    "spiders.thresholds": "spiders.closing.thresholds",
    "spiders.traps": "spiders.urls.traps",
    "spiders.useragent": "spiders.download.user_agent",
    "spiders.yielded": "spiders.session.yielded",
    "storage.captureindex": "storage.index.rows",
    "storage.capturerow": "storage.index.from_capture",
    "storage.cdxj": "storage.index.cdxj",
    "storage.contentcoding": "storage.warc.content_coding",
    "storage.directory": "storage.objects.directory",
    "storage.enqueue": "storage.frontier.enqueue",
    "storage.frontierqueries": "storage.frontier.queries",
    "storage.frontierrecords": "storage.frontier.records",
    "storage.frontiertables": "storage.database.frontier_tables",
    "storage.hints": "storage.frontier.hints",
    "storage.hinttrust": "storage.frontier.hint_trust",
    "storage.hostkey": "storage.urls.host_key",
    "storage.lakecatalog": "storage.lake.catalog",
    "storage.lakefiles": "storage.lake.files",
    "storage.lakequery": "storage.lake.query",
    "storage.laketables": "storage.lake.tables",
    "storage.ledgertables": "storage.database.ledger_tables",
    "storage.maintenance": "storage.lake.maintenance",
    "storage.pagebudget": "storage.frontier.page_budget",
    "storage.postquery": "storage.urls.post_query",
    "storage.publishlock": "storage.database.locks",
    "storage.quota": "storage.ledger.quota",
    "storage.registration": "storage.frontier.registration",
    "storage.requestbody": "storage.urls.request_body",
    "storage.robotscache": "storage.frontier.robots_cache",
    "storage.runhistory": "storage.ledger.history",
    "storage.s3": "storage.objects.s3",
    "storage.sniff": "storage.warc.sniff",
    "storage.steering": "storage.frontier.admin.changes",
    "storage.takedown": "storage.lake.takedown",
    "storage.urlconditions": "storage.frontier.admin.conditions",
    "storage.urlhistory": "storage.frontier.admin.history",
    "storage.urlkey": "storage.urls.surt",
    "storage.urlselection": "storage.frontier.admin.selection",
    "storage.warcreader": "storage.warc.reader",
    "storage.warcrecord": "storage.warc.records",
    "storage.warcrepair": "storage.warc.repair",
    "storage.warcstream": "storage.warc.stream",
    "storage.warcwriter": "storage.warc.writer",
}


class _FormerName(MetaPathFinder, Loader):
    """Imports a module by its former name: the result is the module that has its contents now."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """A spec if it is a former name; otherwise None."""
        return ModuleSpec(fullname, self) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module, imported by its present name."""
        _warn(spec.name, MOVED[spec.name])
        module = importlib.import_module(MOVED[spec.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Restore the module's own spec. The module is loaded already."""
        former = module.__spec__
        module.__spec__ = former.loader_state if former is not None else None


def keep_former_names() -> None:
    """Make the former names importable in this process. Calling it again changes nothing."""
    if not any(isinstance(finder, _FormerName) for finder in sys.meta_path):
        sys.meta_path.append(_FormerName())


def former_module(package: str, module: str) -> Callable[[str], object]:
    """`__getattr__` for a package that was a module in an earlier release: the names are looked up in `module`."""

    def find(name: str) -> object:
        if name.startswith("__") or find_spec(f"{package}.{name}") is not None:
            raise AttributeError(name)  # it is a module of the package, which Python imports itself
        value: object = getattr(importlib.import_module(module), name, None)
        if value is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        _warn(f"{package}.{name}", f"{module}.{name}")
        return value

    return find


def _warn(former: str, now: str) -> None:
    warnings.warn(f"{former} is {now} now. The next release removes the former name.", DeprecationWarning, stacklevel=3)
