"""Looks at pages in a real browser: in Airflow's light and dark, from a wide window to the frame that Airflow leaves on a phone."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from selenium.webdriver.common.keys import Keys

from tests.crawlhouse.pages.conftest import PageServer

CHECKS = (Path(__file__).parent / "looks.js").read_text(encoding="utf-8")
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 29, 45)"}
SIZES = (("light", 1400), ("dark", 768), ("light", 390), ("dark", 318))  # 318: what is left of 390 beside Airflow's own navigation


def look_at(browser: Any, server: PageServer, pages: Mapping[str, str]) -> dict[str, list[str]]:
    """What is wrong with pages, by page, theme and width. With CRAWLHOUSE_SCREENSHOTS, a folder, they are also photographed."""
    server.pages = {f"/crawlhouse/{name}": page for name, page in pages.items()}
    problems: dict[str, list[str]] = {}
    browser.get(f"{server.url}/crawlhouse/static/pages.css")
    for theme, width in SIZES:
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        browser.execute_script("localStorage.setItem('theme', arguments[0])", theme)
        for path in server.pages:
            browser.get(server.url + path)
            found = list(browser.execute_script(CHECKS))
            if browser.execute_script("return getComputedStyle(document.body).backgroundColor") != BACKGROUNDS[theme]:
                found.append(f"is not {theme}")
            found += [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]
            if found:
                problems[f"{path} {theme} {width}"] = found
            if folder := os.environ.get("CRAWLHOUSE_SCREENSHOTS"):
                browser.save_screenshot(f"{folder}/{path.rpartition('/')[2]}-{theme}-{width}.png")
    return problems


def keyboard_order(browser: Any, server: PageServer, name: str) -> list[str]:
    """The names of what the Tab key reaches on a page, in order. What has no visible focus is not among them."""
    browser.get(f"{server.url}/crawlhouse/{name}")
    order: list[str] = []
    for _ in range(100):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        focused = browser.switch_to.active_element
        if focused.tag_name == "body":
            break
        outline = focused.value_of_css_property("outline-style")
        if outline != "none":
            order.append(focused.text or focused.get_attribute("aria-label") or focused.get_attribute("name") or focused.tag_name)
    return order
