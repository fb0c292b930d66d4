"""Chromium, Debian's and without a screen, told what to do by WebDriver (https://www.w3.org/TR/webdriver2/)."""

import contextlib
import json
import urllib.error
import urllib.request

import servers


class Browser(servers.Child):
    """Chromium, behind its WebDriver (W3C WebDriver)."""

    def __init__(self, folder):
        port = servers.free_port()
        super().__init__(folder, "chromedriver", port, ["chromedriver", f"--port={port}"])

    def began(self):
        self.session = ""
        chromium = {"args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
                             f"--user-data-dir={self.folder}/profile"]}
        asked = {"acceptInsecureCerts": True, "timeouts": {"script": 15000, "pageLoad": 15000}, "goog:chromeOptions": chromium}
        self.session = self.tell("POST", "", {"capabilities": {"alwaysMatch": asked}})["sessionId"]

    def __exit__(self, *how):
        # What does not end so is killed with the driver.
        with contextlib.suppress(Exception):
            self.tell("DELETE", "")
        super().__exit__(*how)

    def tell(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/session{self.session and '/'}{self.session}{path}",
            json.dumps(body).encode() if body is not None else None, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"].split("\n")[0])
