"""What tests of several folders share."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def chromium_browser():
    """A real headless Chromium; where a machine has none the test is skipped, but never in CI."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        how = "no Chromium on this machine: install one (Debian, Ubuntu: apt-get install chromium) to test reports in a browser"
        if os.environ.get("CI"):
            pytest.fail(how)
        pytest.skip(how)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def digits_of():
    """A function: a written number to how many significant digits it may have; zeros at the end of a whole one may be filling."""

    def may_have(text: str) -> set[int]:
        digits = text.replace(",", "").lstrip("-0.").partition("×")[0]
        counted = len(digits.replace(".", ""))
        return {counted} if "." in text else set(range(len(digits.rstrip("0")), counted + 1))

    return may_have
