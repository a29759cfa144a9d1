"""The sweep file: read, checked, changed by `--set`, and written."""

from .sweep_file import Spec as Spec
from .sweep_file import bundled_sweeps as bundled_sweeps
from .sweep_file import default_name as default_name
from .sweep_file import is_named as is_named
from .sweep_file import load_spec as load_spec
from .sweep_file import spec_toml as spec_toml
