"""Looks at pages with Chromium, over its DevTools protocol: what they ask for, what they complain
about, whether they fit, and how they look.

    browser.py PAGE.html [FOLDER]

Prints one JSON object: requests beyond the page itself, console entries, the widths of page and
window at each size, script elements, and how contrast fares. With FOLDER, pictures of the page on a
screen, on a telephone (light and dark), and on paper (PDF) are put there.
"""

import asyncio
import base64
import json
import pathlib
import subprocess
import sys
import tempfile

import websockets

WIDTHS = {"screen": 1280, "tablet": 820, "phone": 390, "small": 320}
# Text against what is painted behind it, by WCAG 2.2: 4.5 to 1, large text 3 to 1.
CONTRAST = """(() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = c => {
    const [r, g, b] = c.slice(0, 3).map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = node => {
    for (; node; node = node.parentElement) {
      const c = rgb(getComputedStyle(node).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const poor = [];
  for (const node of document.body.querySelectorAll('*')) {
    const says = [...node.childNodes].some(it => it.nodeType === 3 && it.textContent.trim());
    if (!says || !node.getClientRects().length) continue;
    const style = getComputedStyle(node), [a, b] = [light(rgb(style.color)), light(ground(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const size = parseFloat(style.fontSize), is_large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    if (ratio < (is_large ? 3 : 4.5)) poor.push(`${node.tagName} ${node.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return poor;
})()"""
HEADINGS = "[...document.querySelectorAll('h1,h2,h3,h4')].map(it => Number(it.tagName[1]))"
WIDEST = """(() => {
  const wide = [...document.querySelectorAll('body *')]
    .filter(it => it.getBoundingClientRect().right > WIDTH + 0.5 && !it.closest('.scroll'));
  return { page: document.documentElement.scrollWidth,
           wide: wide.slice(0, 5).map(it => it.tagName + ' ' + it.textContent.slice(0, 40)) };
})()"""
UNNAMED = """[...document.querySelectorAll('svg')].filter(it =>
  it.getAttribute('aria-hidden') !== 'true' && !it.getAttribute('aria-label')).length"""


class Page:
    def __init__(self, socket, session):
        self.socket, self.session, self.number = socket, session, 0
        self.requests, self.said = [], []

    async def ask(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params, "sessionId": self.session}
        await self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(await self.socket.recv())
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def note(self, event):
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method in ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"):
            self.said.append(json.dumps(params)[:300])

    async def value(self, expression):
        answer = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return answer["result"].get("value")

    async def show(self, width, is_dark=False):
        await self.ask("Emulation.setDeviceMetricsOverride", width=width, height=844,
                       deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])
        await asyncio.sleep(0.2)

    async def picture(self, file):
        height = await self.value("document.documentElement.scrollHeight")
        width = await self.value("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, 12_000), "scale": 1}
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(shot["data"]))


async def look(endpoint, address, folder):
    async with websockets.connect(endpoint, max_size=None) as socket:
        async def ask(method, **params):
            await socket.send(json.dumps({"id": 0, "method": method, "params": params}))
            while True:
                answer = json.loads(await socket.recv())
                if answer.get("id") == 0:
                    return answer["result"]

        target = await ask("Target.createTarget", url="about:blank")
        attached = await ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = Page(socket, attached["sessionId"])
        for domain in ("Network", "Log", "Runtime", "Page"):
            await page.ask(f"{domain}.enable")
        await page.show(WIDTHS["screen"])
        page.requests.clear()
        page.said.clear()
        await page.ask("Page.navigate", url=address)
        while await page.value("document.readyState") != "complete":
            await asyncio.sleep(0.05)
        found = {"widths": {}, "contrast": {}}
        for name, width in WIDTHS.items():
            await page.show(width)
            found["widths"][name] = await page.value(WIDEST.replace("WIDTH", str(width)))
            if folder and name in ("screen", "phone"):
                await page.picture(folder / f"{name}.png")
        for name, is_dark in (("light", False), ("dark", True)):
            await page.show(WIDTHS["phone"], is_dark)
            found["contrast"][name] = await page.value(CONTRAST)
        if folder:
            await page.picture(folder / "phone-dark.png")
            await page.show(WIDTHS["screen"], True)
            await page.picture(folder / "screen-dark.png")
            await page.show(WIDTHS["screen"])
            paper = await page.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=False)
            (folder / "paper.pdf").write_bytes(base64.b64decode(paper["data"]))
        found["headings"] = await page.value(HEADINGS)
        found["unnamed_pictures"] = await page.value(UNNAMED)
        found["scripts"] = await page.value("document.scripts.length")
        found["links"] = await page.value("document.querySelectorAll('[href],[src],[srcset]').length")
        found["title"] = await page.value("document.title")
        # What a hostile path would have done, had it been taken for mark-up.
        found["was_harmed"] = await page.value("Boolean(window.harmed)")
        found["requests"] = [it for it in page.requests if it != address]
        found["said"] = page.said
        return found


def main():
    file, folder = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    folder = pathlib.Path(folder[0]) if folder else None
    # A process of the browser may still write while its folder is removed.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--remote-debugging-port=0", f"--user-data-dir={profile}",
             "about:blank"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        try:
            for line in browser.stderr:
                if line.startswith("DevTools listening on "):
                    break
            else:
                sys.exit("chromium did not start")
            found = asyncio.run(look(line.split()[-1], file.as_uri(), folder))
        finally:
            browser.terminate()
            browser.wait()
    print(json.dumps(found, indent=1))


main()
