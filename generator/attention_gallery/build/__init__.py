"""plan → execute → check: the engine that turns a manifest into a site.

build, check     what commands call; `BuildOptions`, `BuildReport` and `CheckReport` go with them
engine           the order of things, inside a lock; `cache_folder` is held on to meanwhile
run              one run: its folders, options, warnings and seconds
project          what the author wrote
look             whether there is anything to do: `inputs` lists all that a site is made from
plan             which models and captures are needed, whether they are those of gallery.lock, and what pages
                 are made from; `lockfile_update` is what `lock` calls
execute          staging, reuse and swap, the record of what was written, which files of a site are ours
checks           what `check` looks at, and a build too: sources before anything is captured, links and limits
"""

from attention_gallery.build.engine import build, check
from attention_gallery.build.options import BuildOptions, BuildReport, CheckReport

__all__ = ["BuildOptions", "BuildReport", "CheckReport", "build", "check"]
