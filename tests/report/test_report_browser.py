"""The page in a real browser, offline: every figure is drawn, nothing is complained about, and the legend works."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser(program: Callable[..., str]) -> Iterator[Any]:
    """Headless Chromium."""
    path = program("chromium", "chromium-browser", "google-chrome")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=SIZES)
def page(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Any]:
    """The report, drawn, without a network; any complaint of the browser fails the test."""
    width, height = SIZES[request.param]
    context = browser.new_context(viewport={"width": width, "height": height}, offline=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda failed: complaints.append(failed.url))
    page.goto((report / "report.html").as_uri())
    page.wait_for_selector("body[data-drawn]")
    yield page
    context.close()
    assert complaints == []


def until(page: Any, expression: str, expected: object) -> None:
    """Wait until a JavaScript expression has this value; the page's policy forbids Playwright's own way of waiting."""
    for _ in range(100):
        found = page.evaluate(expression)
        if found == expected:
            return
        page.wait_for_timeout(50)
    assert found == expected


def test_every_figure_is_drawn_and_fits_the_screen(page: Any) -> None:
    plots = page.evaluate(
        """[...document.querySelectorAll(".plot")].map(plot => {
            const box = plot.querySelector(".main-svg").getBoundingClientRect();
            return [box.width, box.height, plot.querySelectorAll(".scatterlayer path, .scatterlayer .point").length];
        })"""
    )
    assert len(plots) == 2 + 4 + 6 + 1 + 6 + 2
    assert all(width > 200 and height > 100 and marks > 0 for width, height, marks in plots)
    images = page.evaluate("[...document.querySelectorAll('.tile img')].map(i => [i.naturalWidth, i.clientWidth])")
    assert len(images) == 30 and all(natural == 8 and shown > 20 for natural, shown in images)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_click_hides_a_rule_everywhere_and_a_double_click_shows_it_alone(page: Any) -> None:
    shown = """() => [...new Set([...document.querySelectorAll(".legend-shown .plot")].flatMap(
        plot => plot.data.filter(trace => trace.visible !== false).map(trace => trace.meta)))].sort()"""
    everything = ["Backprop", "Direct feedback alignment", "Feedback alignment", "Target propagation"]
    until(page, shown, everything)
    page.locator(".key", has_text="Target propagation").first.click()
    until(page, shown, everything[:3])
    assert page.locator(".key[aria-pressed=false]").count() == 4
    page.locator(".key", has_text="Target propagation").last.click()
    until(page, shown, everything)
    page.locator(".key", has_text="Backprop").first.dblclick()
    until(page, shown, ["Backprop"])
    page.locator(".key", has_text="Backprop").first.dblclick()
    until(page, shown, everything)


def test_the_table_sorts_by_a_click_on_a_heading(page: Any) -> None:
    rules = "() => [...document.querySelectorAll('.results tbody th span')].map(cell => cell.firstChild.textContent)"
    before = page.evaluate(rules)
    heading = page.locator(".results thead button", has_text="Angle")
    heading.click()
    assert page.evaluate(rules)[0] == "Target propagation"
    heading.click()
    assert page.evaluate(rules)[0] == "Backprop" == before[0]


def test_details_open_and_names_with_markup_stay_text(page: Any) -> None:
    page.locator("summary", has_text="Settings of every rule").click()
    assert page.locator(".settings").first.is_visible()
    assert page.locator(".tile", has_text="<b>nine</b>").count() == 1
    assert page.locator(".tile b").count() == 0
