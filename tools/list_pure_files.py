"""Write the list of pure files into pyproject.toml: every file whose first docstring says "(pure)" before its end."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("billing", "notifications", "reconciliation", "service")


def pure_modules(root: Path = ROOT) -> list[str]:
    """Return the dotted names of all files that call themselves pure in the first line of their docstring."""
    found = []
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            if "(pure)" in docstring.split("\n\n")[0]:
                found.append(".".join(path.relative_to(root).with_suffix("").parts))
    return sorted(found)


def main() -> None:
    """Rewrite the contract "pure files are pure"."""
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    listed = "".join(f'    "{name}",\n' for name in pure_modules())
    pattern = r'(name = "pure files are pure"\ntype = "forbidden"\nsource_modules = \[\n)(?:    "[^"]+",\n)*'
    path.write_text(re.sub(pattern, lambda match: match.group(1) + listed, text), encoding="utf-8")


if __name__ == "__main__":
    main()
