"""The sweep file: read, checked, changed by `--set`, and written."""

from .load import bundled_sweeps as bundled_sweeps
from .load import default_name as default_name
from .load import load_spec as load_spec
from .load import spec_toml as spec_toml
from .schema import Spec as Spec
