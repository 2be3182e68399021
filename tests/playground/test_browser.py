"""The page in a real browser, headless Chromium; skipped where there is none."""

import json
import shutil
import threading
import time

import pytest

from fjax.playground import PlaygroundServer

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Debian's packages chromium and chromium-driver"
)

SECONDS = 120


class Page:
    """A page of the server in a browser."""

    def __init__(self, driver, server):
        self.driver, self.server = driver, server

    def open(self, settings=""):
        self.driver.get("about:blank")
        self.driver.get(f"{self.server.address}#language=en&{settings}")
        return self

    def run(self, program):
        return self.driver.execute_script(program)

    def value(self, expression):
        return self.run(f"return {expression}")

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)}).textContent")

    def click(self, name):
        self.driver.find_element("css selector", f"[name='{name}']").click()

    def choose(self, name, value):
        selector = f"select[name='{name}'] option[value='{value}']"
        self.driver.find_element("css selector", selector).click()

    def wait(self, condition):
        end = time.monotonic() + SECONDS
        while not condition():
            assert time.monotonic() < end, self.text(".fjax-playground")
            time.sleep(0.05)

    def number(self, name):
        text = self.text(f"[data-number={name}]").removesuffix(" %")
        return float("nan") if text == "\u2013" else float(text)

    def wait_until_ready(self):
        self.wait(lambda: self.number("testLoss") > 0)

    def press(self, key):
        self.driver.switch_to.active_element.send_keys(key)


@pytest.fixture(scope="module")
def page():
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    options = Options()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{argument}")
    options.add_argument("--window-size=1280,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    server = PlaygroundServer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield Page(driver, server)
    # Nothing was blocked, and no script has failed.
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
    driver.quit()
    server.shutdown()
    server.server_close()


def test_a_network_learns_the_spiral_on_the_page(page):
    page.open()
    page.wait_until_ready()
    page.click("data-spiral")
    page.click("add-layer")
    assert (
        "8" in page.text("[name=add-unit-1]")
        or page.value("document.querySelectorAll('[name^=unit-1-]').length") == 8
    )
    page.choose("speed", "200")
    page.click("play")
    page.wait(lambda: page.number("loss") < 0.1)
    page.wait(lambda: "frames/s" in page.text(".rate"))
    page.click("play")
    # In Korean, the run is still there.
    page.choose("language", "ko")
    assert "학습 시작" in page.text("[name=play]")
    # The losses go up and down a little; what counts is that the run was not begun again.
    assert 0 < page.number("loss") < 0.5
    # On a phone, nothing is wider than the screen.
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert page.value("document.documentElement.scrollWidth") <= 390
    page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("hidden=64,64,64,64,64,64,64,64,64,64", "at most 8 hidden layers here, and 10"),
        ("learning_rate=20", "Learning rate must be from 0 to 10, received 20."),
        ("data=hills", "The data set Hills is not for the task Classification"),
        ("nonsense=1", "There is no setting nonsense."),
    ],
)
def test_a_wrong_address_is_one_sentence_and_the_page_works(page, settings, message):
    page.open(settings)
    page.wait(lambda: message in page.text(".message"))
    page.wait_until_ready()


@pytest.mark.thorough
def test_the_keyboard_is_enough(page):
    page.open("data=gauss&hidden=2")
    page.wait_until_ready()
    page.run("document.activeElement.blur()")
    page.press("e")
    page.wait(lambda: page.text("[name=epoch]") == "1")
    page.press(" ")
    page.wait(lambda: int(page.text("[name=epoch]")) > 5)
    page.press(" ")
    page.press("r")
    page.wait(lambda: page.text("[name=epoch]") == "0")
    # Focus stays on a control that was used, though the page was made anew.
    page.run("document.querySelector('[name=add-layer]').focus()")
    page.press("\n")
    page.wait(lambda: page.value("document.querySelectorAll('[name^=unit-1-]').length") > 1)
    assert page.value("document.activeElement.name") == "add-layer"
    # A weight is changed by hand.
    page.click("unit-0-0")
    page.run(
        "const input = document.querySelector('.terms input');"
        "input.value = 3.5; input.dispatchEvent(new Event('change', {bubbles: true}));"
    )
    page.wait(lambda: page.value("document.querySelector('.terms input').value") == "3.50")


@pytest.mark.thorough
def test_own_points_by_keyboard_and_by_table(page):
    page.open()
    page.wait_until_ready()
    page.click("data-own")
    page.click("clear")
    page.run("document.querySelector('[name=plane]').focus()")
    for label in ("1", "0"):
        page.choose("brush", label)
        page.run("document.querySelector('[name=plane]').focus()")
        for key in ("\ue014", "\n", "\ue013", "\n"):
            page.press(key)
    page.click("play")
    page.wait(lambda: page.number("loss") > 0)
    page.click("play")
    page.click("table")
    use = "document.querySelector('[name=table-text]').value = arguments[0]"
    page.driver.execute_script(use, "1,2,a\n3,NaN,b\n5,6,a\n7,8,b")
    page.click("use-table")
    page.wait(lambda: "Line 2 has the entry “NaN”" in page.text(".problem"))
    page.driver.execute_script(use, "a,b,kind\n1,2,u\n3,4,v\n5,6,u\n7,8,v")
    page.click("use-table")
    page.wait(lambda: "4 points of a and b" in page.text(".message"))
    page.click("code")
    page.wait(lambda: "points = np.array(" in page.text("pre"))


@pytest.mark.thorough
def test_a_rate_that_is_too_high_is_told(page):
    page.open(
        "data=plane&task=regression&optimizer=sgd&features=x1,x2,x1^2&hidden=&learning_rate=10"
    )
    page.wait_until_ready()
    page.click("play")
    page.wait(lambda: "the learning rate is too high" in page.text(".message"))
    page.wait(lambda: "Play" in page.text("[name=play]"))


@pytest.mark.thorough
def test_two_pages_train_and_a_closed_one_stops(page):
    page.open("data=xor")
    page.wait_until_ready()
    page.click("play")
    page.wait(lambda: page.number("loss") > 0)
    first = page.driver.current_window_handle
    # The second page asks the same server, beside the first one.
    asked = (
        "const done = arguments[0]; fetch('ask', {method: 'POST', headers: {'Content-Type': "
        "'application/json'}, body: JSON.stringify({kind: 'advance', page: 'other'})}).then(done)"
    )
    page.driver.execute_async_script(asked.replace(".then(done)", ".then(() => done())"))
    page.wait(lambda: "2 pages train on this computer" in page.text(".message"))
    page.wait(lambda: page.value("document.querySelector('.message').hidden"))
    assert page.driver.current_window_handle == first
    page.click("play")
