"""Makes a folder of the real videos of two packages, as they are.

    apt-get download opencv-doc python3-mecavideo && for deb in *.deb; do dpkg-deb -x $deb packages; done
    python experiments/folders/films.py --packages=packages --output=films

A long video is cut into clips when it is prepared; its caption holds for all of them.
"""

import gzip
import pathlib
import shutil

import folder
from absl import app, flags

_PACKAGES = flags.DEFINE_string("packages", None, "Directory of the two packages.", required=True)

_FPS = 25  # of most; the shortest last for 16 frames
_OPENCV, _MECAVIDEO = "usr/share/doc/opencv-doc", "usr/share/pymecavideo/data/video"
FILMS = {
    f"{_OPENCV}/examples/data/tree.avi": "a green tree behind a window",
    f"{_OPENCV}/examples/data/vtest.avi": "people walk on a path between lawns",
    f"{_OPENCV}/opencv4/html/box.mp4.gz": "a hand turns a yellow box",
    f"{_OPENCV}/opencv4/html/cup.mp4.gz": "a hand turns a black cup",
    f"{_MECAVIDEO}/Effet_force_magnetique.ogv": "two black pucks slide on a white table",
    f"{_MECAVIDEO}/Force_constante.avi": "a hand pushes a black puck along a yellow ruler",
    f"{_MECAVIDEO}/Principe_inertie.avi": "a hand pushes a black puck over a white table",
    f"{_MECAVIDEO}/balle-jbart.mp4": "a yellow ball moves right over a dark floor",
    f"{_MECAVIDEO}/balle1-vp9.avi": "a red ball is thrown in a classroom",
    f"{_MECAVIDEO}/g1.avi": "someone in blue rides a bicycle to the right",
    f"{_MECAVIDEO}/g2.avi": "someone in white rides a bicycle to the right",
    f"{_MECAVIDEO}/retroMars2018.avi": "planets go round the sun",
}


def main(argv):
    """Makes the folder."""
    if len(argv) > 1:
        raise app.UsageError(f"unexpected argument {argv[1]!r}")
    directory, told = folder.begin(), []
    for path, caption in FILMS.items():
        name = pathlib.Path(path).name.removesuffix(".gz")
        unpack = gzip.open if path.endswith(".gz") else open
        with unpack(pathlib.Path(_PACKAGES.value, path), "rb") as film, (directory / name).open("wb") as file:
            shutil.copyfileobj(film, file)
        told.append((name, caption))
    folder.finish(told, _FPS)


if __name__ == "__main__":
    app.run(main)
