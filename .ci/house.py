"""Measures of the code's language and size, for a reader to judge: it fails nothing. `.ci/run house`."""

import re
import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTION = re.compile(r"(what|where|which|who|whom|whose|why|when|how|whether)\b", re.I)
FREE_FUNCTION = re.compile(r"^(?:pub(?:\([a-z: ]+\))? )?(?:const )?(?:async )?fn (\w+)", re.M)
TYPE = re.compile(r"^(?:pub(?:\([a-z: ]+\))? )?(?:struct|enum|trait|type) (\w+)", re.M)
TEST_MODULE = re.compile(r"^#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*(?:pub(?:\([a-z: ]+\))? )?mod (\w+)( \{|;)", re.M)


def without_tests(text: str) -> tuple[str, list[str]]:
    """The text before its inline test module, and the names of the test modules in files of their own."""
    outside = []
    for found in TEST_MODULE.finditer(text):
        if found[2] == ";":
            outside.append(found[1])
        else:
            return text[: found.start()], outside
    return text, outside


def product() -> dict[Path, str]:
    """Every file of `src` without its tests."""
    texts, tests = {}, set()
    for path in sorted((ROOT / "src").rglob("*.rs")):
        texts[path], outside = without_tests(path.read_text())
        folder = path.parent if path.name in ("mod.rs", "lib.rs", "main.rs") else path.with_suffix("")
        for name in outside:
            named = re.search(rf'#\[path = "([^"]+)"\]\n(?:pub(?:\([a-z]+\))? )?mod {name};', path.read_text())
            file = path.parent / named[1] if named else folder / f"{name}.rs"
            tests |= {file, file.with_suffix("")}
    is_test = lambda path: any(path == test or test in path.parents for test in tests)
    return {path: text for path, text in texts.items() if not is_test(path)}


def percent(part: int, whole: int) -> str:
    """A share."""
    return f"{100 * part / max(whole, 1):.0f} % ({part} of {whole})"


def main() -> None:
    """Prints a line for each measure."""
    texts = product()
    lines = [line.strip() for text in texts.values() for line in text.splitlines()]
    code = [line for line in lines if line and not line.startswith("//")]
    print(f"product lines / code lines: {len(lines)} / {len(code)}")

    functions = [name for text in texts.values() for name in FREE_FUNCTION.findall(text)]
    print("free functions with a one-word name:", percent(sum("_" not in name for name in functions), len(functions)))

    names = Counter(name for text in texts.values() for name in TYPE.findall(text))
    shared = sorted(name for name, times in names.items() if times > 1)
    print(f"type names used by two or more types: {len(shared)}: {' '.join(shared)}")

    docs = re.findall(r"(?:^[ \t]*//[/!] ?.*\n)+", "\n".join(texts.values()), re.M)
    openings = [re.sub(r"^[ \t]*//[/!] ?", "", doc, count=1) for doc in docs]
    print("doc comments that begin with a question word:", percent(sum(bool(QUESTION.match(doc)) for doc in openings), len(docs)))

    comments = " ".join(line.lstrip("/! ") for line in lines if line.startswith("//")).lower()
    words = re.findall(r"[a-z']+", comments)
    per_thousand = lambda *wanted: f"{1000 * sum(word in wanted for word in words) / max(len(words), 1):.1f}"
    print(
        "per 1,000 words of comments: what", per_thousand("what"), "· where", per_thousand("where"),
        "· it, they, one", per_thousand("it", "its", "they", "them", "their", "one", "ones"),
    )

    subjects = subprocess.run(
        ["git", "log", "--no-merges", "--format=%s"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    recent = subjects[:100]
    print("commit subjects longer than 72, of the last 100:", sum(len(subject) > 72 for subject in recent))

    long = {path: path.read_text().count("\n") for path in texts if path.read_text().count("\n") > 400}
    listed = " ".join(f"{path.relative_to(ROOT)}:{count}" for path, count in sorted(long.items()))
    print(f"product files above 400 lines: {len(long)} {listed}")

    binaries = [path for crate in (ROOT, ROOT / "testbed", ROOT / "simulation") for path in (crate / "tests").glob("*.rs")]
    binaries += [path for crate in (ROOT, ROOT / "testbed", ROOT / "simulation") for path in (crate / "tests").glob("*/main.rs")]
    print(f"integration test binaries: {len(binaries)}")


main()
