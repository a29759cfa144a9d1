"""The store: its address, its errors, and its creation. Re-exports what the other modules of this room use."""

from .address import DEFAULT_URI as DEFAULT_URI
from .address import check_folder as check_folder
from .address import redact as redact
from .address import sqlite_path as sqlite_path
from .address import store_exists as store_exists
from .address import store_uri as store_uri
from .errors import StoreAway as StoreAway
from .errors import StoreError as StoreError
from .errors import UnusableStore as UnusableStore
from .errors import client_errors as client_errors
from .errors import is_there_already as is_there_already
from .explanation import explained as explained
from .mlflow_import import import_mlflow as import_mlflow
from .sqlite import LOCK_SECONDS as LOCK_SECONDS
from .sqlite import connect as connect
from .sqlite import prepare_store as prepare_store
from .sqlite import ready_revision as ready_revision
from .sqlite import revision as revision
