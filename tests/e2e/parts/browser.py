"""A real Chromium without a screen, with a microphone that beeps."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    ViewportSize,
    async_playwright,
    expect,
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PHONE = ViewportSize(width=390, height=844)

expect.set_options(timeout=30_000)  # milliseconds, as long as its other waits are

_FAKE_MICROPHONE = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def chromium() -> str:
    """Where it is; without one the test is not run, and fails where `CI` is set."""
    for name in NAMES:
        if found := shutil.which(name):
            return found
    told = f"NOT RUN: there is no Chromium on the PATH ({', '.join(NAMES)})"
    if os.environ.get("CI"):
        pytest.fail(told)
    pytest.skip(told)


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), chromium_sandbox=False, args=list(_FAKE_MICROPHONE)
        )
        yield browser
        await browser.close()


async def new_context(browser: Browser) -> BrowserContext:
    """Of a phone, which trusts the tenant stand-in's certificate."""
    context = await browser.new_context(viewport=PHONE, ignore_https_errors=True)
    await context.grant_permissions(["microphone"])
    return context


async def hears(page: Page, hertz: float) -> bool:
    return bool(await _heard_hertz(page) == pytest.approx(hertz, abs=10))


async def _heard_hertz(page: Page) -> float:
    """The loudest frequency of the first audio element's sound; 0 while it is silent."""
    return float(
        await page.evaluate(
            """async () => {
              const stream = document.querySelector("audio")?.srcObject;
              if (!stream) return 0;
              const context = new AudioContext();
              const analyser = new AnalyserNode(context, { fftSize: 16384 });
              context.createMediaStreamSource(stream).connect(analyser);
              await new Promise((done) => setTimeout(done, 500));
              const bins = new Float32Array(analyser.frequencyBinCount);
              analyser.getFloatFrequencyData(bins);
              const loudest = bins.indexOf(Math.max(...bins));
              const hertz = (loudest * context.sampleRate) / analyser.fftSize;
              const loud = bins[loudest] > -60;
              await context.close();
              return loud ? hertz : 0;
            }"""
        )
    )
