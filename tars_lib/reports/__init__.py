"""From an executed notebook to the pages that leadership reads: blocks, runner, HTML and PDF exporters."""

from tars_lib.reports import display as display
