"""The page in a browser: it draws its charts, and nothing is cut off at any width."""

import re
import shutil
import subprocess

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium")]


def browse(folder, page, *options, budget_ms=8000):
    command = "chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    command += f" --disable-component-update --disable-sync --user-data-dir={folder} --virtual-time-budget={budget_ms}"
    command += " --enable-logging=stderr --dump-dom"
    return subprocess.run([*command.split(), *options, f"file://{page}"], capture_output=True, text=True, timeout=120)


def test_page_draws_its_charts_in_a_browser(page, tmp_path):
    done = browse(tmp_path, page)
    assert "CONSOLE" not in done.stderr  # neither errors nor anything the policy had to refuse
    assert done.stdout.count('class="main-svg"') >= 4
    assert 'id="no-charts" class="soft" hidden' in done.stdout
    assert '<span id="slice-when">6.00 h, 1500 K</span>' in done.stdout
    legend = re.search(r'data-legend="phases">(.*?)</div>', done.stdout, re.DOTALL).group(1)
    assert legend.count('aria-pressed="true"') == 5 and "BaTi₂O₅</button>" in legend
    assert '<button type="button" aria-pressed="false"' in legend  # the null, to be switched on


MEASURE = """
const page = document.querySelector("iframe").contentDocument, outside = [];
if (page.querySelectorAll(".main-svg").length < 8) return;
clearInterval(waiting);
const inside = (part, box, what) => {
  const own = part.getBoundingClientRect();
  if (own.width && (own.left < box.left - 1 || own.right > box.right + 1))
    outside.push(what + " " + (part.textContent || part.tagName).trim().slice(0, 40));
};
const shown = "h1, h2, p, li, figure, figcaption, pre, .scroll, .legend button, caption span, .choice *";
for (const part of page.querySelectorAll(shown)) inside(part, {left: 0, right: WIDTH}, part.tagName);
for (const chart of page.querySelectorAll(".chart"))
  for (const part of chart.querySelectorAll("text, .plot path"))
    inside(part, chart.getBoundingClientRect(), chart.id);
for (const scroll of page.querySelectorAll(".scroll"))
  if (scroll.scrollWidth > scroll.clientWidth + 1 && getComputedStyle(scroll).overflowX !== "auto")
    outside.push("hidden");
if (page.documentElement.scrollWidth > WIDTH) outside.push("the page itself");
document.title = outside.join("; ") || "all inside";
"""


def test_layers_are_drawn_in_a_browser(layers_page, tmp_path):
    done = browse(tmp_path, layers_page)
    assert "CONSOLE" not in done.stderr
    assert done.stdout.count('class="main-svg"') >= 14
    slider = re.search(
        r'<span data-when="profile">(.*?)</span><input type="range" data-time="profile" (.*?)>', done.stdout
    )
    assert slider.group(1).endswith(" K") and 'min="0" max="47"' in slider.group(2)
    assert 'data-legend="bottleneck"><button' in done.stdout


@pytest.mark.parametrize("name", ["page", "layers_page"])
@pytest.mark.parametrize("width", [360, 400, 768, 1200, 1600])
def test_nothing_is_cut_off(request, tmp_path, width, name):
    page = request.getfixturevalue(name)
    frame = tmp_path / "frame.html"
    script = MEASURE.replace("WIDTH", str(width))
    frame.write_text(
        f'<title>not drawn</title><iframe src="file://{page}" style="border:0;width:{width}px;height:9000px"></iframe>'
        f"<script>const waiting = setInterval(() => {{{script}}}, 500)</script>"
    )
    done = browse(
        tmp_path, frame, "--allow-file-access-from-files", f"--window-size={max(width, 500) + 50},900", budget_ms=30000
    )
    assert re.search("<title>(.*?)</title>", done.stdout).group(1) == "all inside"
