from __future__ import annotations

import graphlib

import grimp
import pytest

from tests.house import tree


def test_no_hand_written_file_is_too_long() -> None:
    too_long = {tree.name(path): count for count, path in tree.sizes() if count > tree.SOURCE_LINES_MAX}
    assert too_long == {}


def test_no_circle_of_imports() -> None:
    graph = grimp.build_graph("counterfoil")
    sorter = graphlib.TopologicalSorter(
        {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    )
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        pytest.fail("circle of imports: " + " <- ".join(error.args[1]))
