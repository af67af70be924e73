"""The summary for a board: printed it is one page, and that page holds what decides."""

import re


def test_it_fits_one_a4_page_and_says_what_decides(reports, chromium_browser):
    tab = chromium_browser.new_page()
    tab.goto((reports / "99-executive-summary.html").as_uri())
    printed = tab.pdf(format="A4", prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
    tab.emulate_media(media="print")
    text = tab.inner_text("body")
    for part in ("Decide", "Range", "Three drivers", "What would flip it", "nine times in ten"):
        assert part.lower() in text.lower()
    assert tab.locator(".summary figure img").first.is_visible()
    assert not tab.locator("main > p").first.is_visible()
    tab.close()
