"""A folder of videos, and what is prepared from it."""

import shutil

import pytest

from t2v_jax.data.videos import prepared as prepared_clips
from t2v_jax.data.videos.folder import read_folder
from t2v_jax.data.videos.prepared import prepare
from tests.data.videos import files as videos


@pytest.fixture(scope="session")
def films(tmp_path_factory):
    """A folder of nine whole videos, three captions, and one damaged video; not to be changed."""
    root = tmp_path_factory.mktemp("films")
    words = "red", "green", "blue"
    for index, (ending, data) in enumerate(videos.all_kinds().items()):
        path = root / f"a {words[index % 3]} square" / f"{index}{ending}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    (root / "a red square/bad.mp4").write_bytes(b"no video")
    return root


@pytest.fixture(scope="session")
def prepared(films, tmp_path_factory):
    """The folder prepared in shards of four files, and the report; not to be changed."""
    output = tmp_path_factory.mktemp("prepared") / "clips"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prepared_clips, "FILES_A_SHARD", 4)
        return output, prepare(read_folder(films, videos.TEST_SHARE), output, videos.RECIPE, 2)


@pytest.fixture
def copy(prepared, tmp_path):
    """A prepared folder that a test may damage."""
    return shutil.copytree(prepared[0], tmp_path / "copy")
