"""The page of the dashboard in a browser, beside a training that is written and killed."""

import shutil
import subprocess
import sys
import time

import pytest

from fjax.dashboard import Dashboard

selenium = pytest.importorskip("selenium.webdriver")
CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.thorough,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]

TRAINING = """
import sys, time, numpy as np, fjax
class Wait(fjax.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(0.2)
model = fjax.Sequential([fjax.Input((4,)), fjax.layers.Dense(1)], seed=0)
model.compile("sgd", "mse")
model.fit(np.ones((32, 4)), np.ones(32), epochs=10_000, verbose=0, resume=sys.argv[1] + "/live",
    callbacks=[Wait(), fjax.callbacks.CSVLogger(sys.argv[1] + "/live.csv")])
"""


@pytest.fixture
def browser():
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options, selenium.ChromeService(DRIVER))
    driver.set_window_size(1200, 900)
    yield driver
    driver.quit()


def wait_for(condition, seconds=150):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "the page did not change in time"
        time.sleep(0.1)
    return value


def cells(browser):
    """Return the texts of the table, row by row."""
    script = """return [...document.querySelectorAll('#rows tr')].map(
        row => [...row.cells].map(cell => cell.innerText.trim()))"""
    return browser.execute_script(script)


def test_the_page_follows_a_run_that_is_killed(tmp_path, browser):
    (tmp_path / "old.csv").write_text("epoch,loss\n0,0.9\n1,0.4\n2,0.5\n")
    (tmp_path / "half.csv").write_text("epoch,loss\n0,0.5\n1,0.")
    training = subprocess.Popen([sys.executable, "-c", TRAINING, str(tmp_path)])
    try:
        with Dashboard(tmp_path) as dashboard:
            browser.get(dashboard.url)
            rows = wait_for(lambda: [row for row in cells(browser) if row[2] == "training"])
            assert rows[0][:2] == ["live", "checkpoints"]
            before = wait_for(
                lambda: int(cells(browser)[1][3] or 0) > 1 and int(cells(browser)[1][3])
            )
            wait_for(lambda: int(cells(browser)[1][3]) > before)
            training.kill()
            training.wait()
            wait_for(lambda: cells(browser)[1][2] == "not running")
            names = [row[0] for row in cells(browser)]
            assert names == ["half.csv", "live", "live.csv", "old.csv"]
            assert "half-written" in cells(browser)[0][-1]
            last, lowest, highest = cells(browser)[3][4:7]
            assert (last, lowest, highest) == ("0.5", "0.4", "0.9")

            # The filter, and a run that is hidden from the charts.
            def drawn():
                script = """return [...new Set([...document.querySelectorAll('.curve')].map(
                    curve => curve.dataset.run))].sort()"""
                return browser.execute_script(script)

            assert drawn() == ["CSV half.csv", "CSV live.csv", "CSV old.csv", "checkpoints live"]
            browser.find_element("id", "filter").send_keys("old")
            assert [row[0] for row in cells(browser)] == ["old.csv"] and drawn() == ["CSV old.csv"]
            browser.find_element("css selector", "#rows input").click()
            assert drawn() == []
            assert browser.find_element("id", "count").text == "1 of 4 runs"
        # The server has ended: the page says so, and keeps its last state.
        message = wait_for(lambda: browser.find_element("id", "problem").text)
        assert message.startswith("The dashboard has ended")
        errors = [entry["message"] for entry in browser.get_log("browser")]
        assert all("ERR_CONNECTION_REFUSED" in error for error in errors), errors
    finally:
        training.kill()
        training.wait()


def test_names_of_files_are_text(tmp_path, browser):
    name = "<img src=x onerror=document.title='broken'>.csv"
    (tmp_path / name).write_text("epoch,<b>loss</b>\n0,0.5\n")
    with Dashboard(tmp_path) as dashboard:
        browser.get(dashboard.url)
        assert wait_for(lambda: cells(browser))[0][0] == name
        assert browser.title == "fjax runs"
        assert browser.find_element("css selector", ".chart h2").text == "<b>loss</b>"
