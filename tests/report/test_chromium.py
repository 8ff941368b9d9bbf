"""The page in a real browser: nothing asked for, nothing run, nothing wider than the screen."""

from __future__ import annotations

import pytest
import samples

from presheaf.report import card, plot, to_html, write

CONTRAST = """
() => {
  const light = c => { c /= 255; return c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4 };
  const lum = s => { const [r, g, b] = s.match(/[\\d.]+/g).map(Number);
                     return .2126 * light(r) + .7152 * light(g) + .0722 * light(b) };
  const ground = lum(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('h1, p, dd, dt, td, th, summary, .severity, .eyebrow')].map(e => {
    const ink = lum(getComputedStyle(e).color);
    return (Math.max(ink, ground) + .05) / (Math.min(ink, ground) + .05);
  });
}
"""


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a page; returns it with what it said and what it asked for."""
    contexts = []

    def open_(html: str, width: int = 1280, scheme: str = "light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        page, said, asked = context.new_page(), [], []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: (said.append("dialog " + dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.append(request.url))
        path = tmp_path / "report.html"
        write(path, html)
        page.goto(path.as_uri())
        return page, said, [url for url in asked if url != path.as_uri()]

    yield open_
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", samples.ALL)
def test_quiet_self_contained_and_no_wider_than_the_screen(opened, name, width):
    page, said, asked = opened(to_html(samples.ALL[name]), width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    assert asked == []
    assert page.evaluate("document.querySelectorAll('script').length") == 0
    assert page.locator("h1").bounding_box()["width"] <= width


def test_script_is_text(opened):
    page, said, _ = opened(to_html(samples.HOSTILE))
    assert samples.SCRIPT in page.locator("h1").inner_text()
    assert "<script>alert(1)</script>" in page.locator("#findings ~ article h3").first.inner_text()
    assert said == []


def test_right_to_left_text_reads_from_the_right(opened):
    page, _, _ = opened(to_html(samples.RICH))
    cell = page.locator(".text", has_text=samples.ARABIC).first
    assert cell.evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert page.locator("h1").evaluate("e => getComputedStyle(e).direction") == "ltr"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_in_both_schemes(opened, scheme):
    page, _, _ = opened(to_html(samples.RICH), scheme=scheme)
    found = page.evaluate(CONTRAST)
    assert len(found) > 100
    assert min(found) >= 4.5
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(int(part) for part in ground[4:-1].split(",")) < 300) == (scheme == "dark")


def test_one_drawing_at_a_time(opened):
    for width, shown, hidden in ((1280, ".wide", ".narrow"), (400, ".narrow", ".wide")):
        page, _, _ = opened(to_html(samples.RICH), width)
        assert page.locator(f"{shown} svg").first.is_visible()
        assert not page.locator(f"{hidden} svg").first.is_visible()


def test_print_is_light_and_opens_what_is_folded(opened):
    page, _, _ = opened(to_html(samples.RICH), scheme="dark")
    folded = page.locator("details:not([open]) dl").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.evaluate("e => e.checkVisibility({contentVisibilityAuto: true})")
    assert folded.bounding_box()["height"] > 10
    ground = page.evaluate("getComputedStyle(document.querySelector('.presheaf')).getPropertyValue('--paper')")
    assert ground.strip() == "#fdfcf9"
    assert page.pdf()[:5] == b"%PDF-"


@pytest.mark.parametrize("width", [1000, 400])
def test_card_touches_nothing_around_it(opened, width):
    around = "<!doctype html><meta charset='utf-8'><p id='x'>outside</p><table><td>cell</td></table>"
    before, _, _ = opened(around, width)
    style = "e => [getComputedStyle(e).color, getComputedStyle(e).font, getComputedStyle(e).margin].join()"
    wanted = [before.locator(tag).evaluate(style) for tag in ("#x", "td")]
    page, said, asked = opened(around + card(samples.HOSTILE), width)
    assert [page.locator(tag).first.evaluate(style) for tag in ("#x", "td")] == wanted
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (said, asked) == ([], [])


def test_drawing_shows_as_an_image(opened):
    """As an <img> the drawing gets no style from the page, so it must bring its own."""
    from base64 import b64encode

    data = b64encode(plot(samples.RICH).svg.encode()).decode()
    page, said, _ = opened(f"<!doctype html><img src='data:image/svg+xml;base64,{data}'>")
    assert page.evaluate("document.images[0].naturalWidth") == 780
    assert said == []


@pytest.mark.parametrize("name", samples.ALL)
def test_what_a_notebook_shows_is_no_wider_than_its_cell(opened, name):
    page, _, _ = opened("<!doctype html><meta charset='utf-8'><body>" + samples.ALL[name]._repr_html_(), 400)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
