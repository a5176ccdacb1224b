"""Run the Python of a page and write under each block what it prints.

    python docs/shown.py docs/tutorial-transport.md

Output goes into the ``text`` block that follows a ``python`` block with an empty line between; tests/transport/
test_tutorial.py asks that nothing would change.
"""

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

BLOCK = re.compile(r"```python\n(?P<code>.*?)^```\n(?:\n```text\n.*?^```\n)?", re.DOTALL | re.MULTILINE)


IMAGES = Path(__file__).resolve().parent / "images"


def with_output(page: str, *, keep_figures: bool = False) -> str:
    """The text of a page with the output of its blocks, which share a namespace and an empty folder.

    Figures that they save are kept in docs/images where that is asked for.
    """
    namespace: dict[str, object] = {"__name__": "page"}

    def run(match: re.Match[str]) -> str:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(match["code"], "page", "exec"), namespace)
        shown = "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())
        return f"```python\n{match['code']}```\n" + (f"\n```text\n{shown}```\n" if shown else "")

    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            shown = BLOCK.sub(run, page)
            for figure in sorted(Path().glob("*.png")) if keep_figures else ():
                shutil.copy(figure, IMAGES / figure.name)
            return shown
        finally:
            os.chdir(before)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(with_output(path.read_text(encoding="utf-8"), keep_figures=True), encoding="utf-8")
