"""Print the shape of the package: files a folder, sizes, and circles of imports. `tests/test_layout.py` holds the limits."""

import ast
import statistics
import sys
from collections import Counter
from pathlib import Path

import networkx as nx

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tars_lib"


def python_files(folder: Path = PACKAGE) -> list[Path]:
    """Return the Python files below a folder, sorted."""
    return sorted(folder.rglob("*.py"))


def lines(path: Path) -> int:
    """Count the lines of a file."""
    return path.read_text(encoding="utf-8").count("\n")


def files_per_folder(folder: Path = PACKAGE) -> Counter[str]:
    """Count the Python files of each folder, `__init__.py` left out."""
    return Counter(
        path.parent.relative_to(folder.parent).as_posix() for path in python_files(folder) if path.name != "__init__.py"
    )


def module_name(path: Path) -> str:
    """Return the dotted name under which a file is imported."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_graph(folder: Path = PACKAGE) -> nx.DiGraph:
    """Return the imports between files, those inside functions included; an edge leads from importer to imported."""
    modules = {module_name(path): path for path in python_files(folder)}
    graph = nx.DiGraph()
    graph.add_nodes_from(modules)
    for module, path in modules.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                wanted = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                wanted = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
                if all(name in modules for name in wanted[:-1]):
                    wanted.pop()
            else:
                continue
            graph.add_edges_from((module, name) for name in wanted if name in modules and name != module)
    return graph


def circles(graph: nx.DiGraph) -> list[list[str]]:
    """Return the groups of files that import each other in a circle."""
    return sorted(sorted(group) for group in nx.strongly_connected_components(graph) if len(group) > 1)


def main() -> int:
    """Print the report."""
    sizes = {path: lines(path) for path in python_files()}
    print("files  folder")
    for folder, number in sorted(files_per_folder().items()):
        print(f"{number:5d}  {folder}")
    largest = max(sizes, key=lambda path: sizes[path])
    print(
        f"\n{len(sizes)} files, {sum(sizes.values())} lines, median {statistics.median(sizes.values()):.0f}, largest",
        end=" ",
    )
    print(f"{sizes[largest]} ({largest.relative_to(ROOT).as_posix()})")
    for circle in (found := circles(import_graph())):
        print("circle:", ", ".join(circle))
    print(f"{len(found)} circles")
    return 0


if __name__ == "__main__":
    sys.exit(main())
