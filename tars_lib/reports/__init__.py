"""Turn notebooks into the pages that leadership reads, and runs into short forms."""

from tars_lib.reports import display as display
