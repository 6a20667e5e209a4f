"""plan → execute → check: the engine that turns a manifest into a site.

build, check     what commands call; `BuildOptions`, `BuildReport` and `CheckReport` go with them
update_lock      in `locking`: what `lock` calls
engine           the order of things, inside a lock
unchanged        whether there is anything to do: stamps of all that a site is made from, by `state`
project          what the author wrote          captures   what models are needed for it
identify         which models those are         pins       whether they are those of gallery.lock
gather           both brought together          execute    staging, reuse, swap
links            every link leads somewhere     record     what was written, and from what
ownership        which files of a site are ours  warned     warnings, or errors of a strict run
inspect_sources  what `check` looks at, and a build first of all; `problems` collects what is wrong
inspect_site     what `check` looks at besides, and `fresh`; `cache_folder` is held on to while a build runs
"""

from attention_gallery.build.engine import build, check
from attention_gallery.build.options import BuildOptions, BuildReport, CheckReport

__all__ = ["BuildOptions", "BuildReport", "CheckReport", "build", "check"]
