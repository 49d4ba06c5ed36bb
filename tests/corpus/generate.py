#!/usr/bin/env python3
"""Writes the corpus, `*.json` beside this file, from `tables/`. The format is in docs/corpus.md.

    generate.py           writes
    generate.py --check   fails, with 1, if what is there differs from what would be written

Run it by hand after a change to the tables; tests/corpus.rs checks that somebody did. Only Python's standard library.
"""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

from tables import frames, handshakes  # noqa: E402

# The fields of a case that share a line.
LINES = [["name", "rules", "role"], ["config"], ["before"], ["input"], ["after"], ["events"], ["partial"], ["request"],
         ["response"], ["output"], ["eof", "transport", "closure"]]  # fmt: skip


def inline(value):
    return json.dumps(value, ensure_ascii=True)


def case_text(case):
    lines = []
    for group in LINES:
        pairs = [f"{inline(key)}: {inline(case[key])}" for key in group if key in case]
        if pairs:
            lines.append(", ".join(pairs))
    assert sum(len(group) for group in LINES) >= len(case)
    return "{" + ",\n ".join(lines) + "}"


def chapter_text(name, chapter):
    cases = sorted(chapter.cases, key=lambda case: (int(case["rules"][0][1:]), case["name"], case["role"]))
    seen = [(case["name"], case["role"]) for case in cases]
    assert len(set(seen)) == len(seen), [one for one in seen if seen.count(one) > 1]
    head = {"chapter": name, "starts": chapter.starts, "splits": "any", "defaults": chapter.defaults}
    return inline(head)[:-1] + ', "cases": [\n' + ",\n".join(map(case_text, cases)) + "\n]}\n"


def main():
    size = 0
    check, stale, here = sys.argv[1:] == ["--check"], [], Path(__file__).parent
    for name, build in {**frames.CHAPTERS, **handshakes.CHAPTERS}.items():
        text = chapter_text(name, build())
        json.loads(text)
        size += len(text.encode())
        path = here / f"{name}.json"
        if check:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
    assert size < 400_000, size  # the corpus is read by people too
    if stale:
        sys.exit(f"not up to date, run tests/corpus/generate.py: {', '.join(stale)}")


if __name__ == "__main__":
    main()
