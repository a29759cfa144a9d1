"""The fingerprint is the same in every process, and another one for each change of rows or of how they are read and split."""

import os
import subprocess
import sys

from tests.support.passengers import loaded, people, section


def test_the_fingerprint_is_the_same_in_another_process(tmp_path):
    data = loaded(tmp_path, people())
    code = (
        "import pathlib, sys; from mlptune.experiments.config.schema import DataConfig;"
        "from mlptune.experiments.data.dataset import Dataset;"
        "section = DataConfig.model_validate_json(sys.argv[2]);"
        "print(Dataset.load(section, 0, pathlib.Path(sys.argv[1])).fingerprint); assert 'sklearn' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    output = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), section().model_dump_json()],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert output.stdout.strip() == data.fingerprint


def test_the_fingerprint_sees_every_change(tmp_path):
    frame = people()
    prints = [loaded(tmp_path, frame).fingerprint]
    prints += [
        loaded(tmp_path, **change).fingerprint for change in ({"folds": 4}, {"ignore": ["Age"]}, {"validation": 0.3})
    ]
    frame.loc[7, "Fare"] += 1e-9
    prints.append(loaded(tmp_path, frame).fingerprint)
    frame.loc[7, "Sex"] = "female" if frame.loc[7, "Sex"] == "male" else "male"
    prints.append(loaded(tmp_path, frame).fingerprint)
    assert len(set(prints)) == len(prints)
