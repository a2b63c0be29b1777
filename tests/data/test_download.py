"""`fetch` against a server on loopback that misbehaves in every way a data set's home can."""

import errno
import hashlib
import io
import json
import stat
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from vsodlib.data import download, open_dataset
from vsodlib.data import download as transfer
from vsodlib.data.download import SOURCES, Source, available, fetch

FRAMES = {f"JPEGImages/480p/bear/{i:05d}.jpg": bytes([i]) * 50_000 for i in range(4)}
MASKS = {f"Annotations/480p/bear/{i:05d}.png": b"mask" * i for i in range(4)}


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


ARCHIVE = zipped({f"DAVIS/{name}": content for name, content in (FRAMES | MASKS).items()})


class Home:
    """A data set's home whose habits a test may change between, or within, requests."""

    def __init__(self) -> None:
        self.files = {"/davis.zip": ARCHIVE}
        self.etag: str | None = '"one"'
        self.date: str | None = None
        self.breaks: list[int] = []  # bytes after which the next connections break off
        self.statuses: list[int] = []  # answers of the next requests, before any file is sent
        self.ranges = True
        self.checks_if_range = True
        self.shift = 0  # bytes by which a range starts too late
        self.requests: list[dict[str, str]] = []
        home = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                home.answer(self)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests.append(dict(request.headers))
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        if request.path not in self.files:
            request.send_error(404)
            return
        data, start = self.files[request.path], 0
        asked = request.headers["Range"]
        same = request.headers["If-Range"] in (self.etag, self.date)
        if asked and self.ranges and (same or not self.checks_if_range):
            start = int(asked.removeprefix("bytes=").removesuffix("-")) + self.shift
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        else:
            request.send_response(200)
        if self.etag:
            request.send_header("ETag", self.etag)
        if self.date:
            request.send_header("Last-Modified", self.date)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        end = start + self.breaks.pop(0) if self.breaks else len(data)
        request.wfile.write(data[start:end])


@pytest.fixture
def home(monkeypatch):
    home = Home()
    thread = threading.Thread(target=home.server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setattr(transfer, "PAUSE", 0.0)
    use(monkeypatch, home, "/davis.zip")
    yield home
    home.server.shutdown()
    home.server.server_close()
    thread.join()


def use(monkeypatch, home: Home, *paths: str, contents=("JPEGImages/480p", "Annotations/480p")):
    source = replace(SOURCES[0], urls=tuple(home.url + path for path in paths), contents=contents)
    monkeypatch.setattr(download, "SOURCES", (source, *SOURCES[1:]))


def assert_davis(folder: Path) -> None:
    found = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
    assert found == FRAMES | MASKS


def test_fetch_extracts_records_and_leaves_nothing_else(home, tmp_path):
    root = tmp_path / "new" / "data"
    folder = fetch("davis2016", root, progress=False)
    assert folder == root / "DAVIS"
    assert_davis(folder)
    assert sorted(path.name for path in root.iterdir()) == ["DAVIS", "checksums.json"]
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(root.stat().st_mode)
    (record,) = json.loads((root / "checksums.json").read_text()).items()
    assert record[0] == f"{home.url}/davis.zip"
    assert record[1]["sha256"] == hashlib.sha256(ARCHIVE).hexdigest()
    assert record[1]["size"] == len(ARCHIVE)
    assert len(record[1]["date"]) == 10


def test_progress_bar_counts_bytes(home, tmp_path, capsys):
    fetch("davis2016", tmp_path)
    shown = capsys.readouterr().err
    assert "davis.zip" in shown and "extract davis.zip" in shown and "201k" in shown


def test_several_archives_make_one_folder(home, tmp_path, monkeypatch):
    home.files = {"/frames.zip": zipped(FRAMES), "/masks.zip": zipped(MASKS)}
    use(monkeypatch, home, "/frames.zip", "/masks.zip")
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert len(json.loads((tmp_path / "checksums.json").read_text())) == 2


def test_broken_connection_is_continued_where_it_broke(home, tmp_path):
    home.breaks = [60_000, 30_000]
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert [request.get("Range") for request in home.requests] == [
        None,
        "bytes=60000-",
        "bytes=90000-",
    ]
    assert home.requests[1]["If-Range"] == '"one"'


def test_date_serves_where_there_is_no_strong_etag(home, tmp_path):
    home.etag, home.date = 'W/"weak"', "Sun, 22 Nov 2026 15:30:00 GMT"
    home.breaks = [60_000]
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert home.requests[1]["If-Range"] == home.date
    assert home.requests[1]["Range"] == "bytes=60000-"


def test_every_try_that_brings_bytes_earns_new_tries(home, tmp_path):
    home.breaks = [20_000] * 8  # twice ATTEMPTS
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert len(home.requests) == 9


def test_gives_up_keeps_part_and_goes_on_next_time(home, tmp_path):
    home.breaks = [60_000, 0, 0, 0, 0]
    with pytest.raises(ConnectionError, match=r"davis\.zip\.part keeps 60000 bytes") as error:
        fetch("davis2016", tmp_path, progress=False)
    assert "\n" not in str(error.value)
    assert len(home.requests) == transfer.ATTEMPTS
    assert (tmp_path / "davis.zip.part").read_bytes() == ARCHIVE[:60_000]
    home.breaks = []
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert home.requests[-1]["Range"] == "bytes=60000-"


def test_ctrl_c_keeps_part(home, tmp_path, monkeypatch):
    class Interrupted:
        def __init__(self, **options):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def update(self, size):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transfer, "tqdm", Interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch("davis2016", tmp_path)
    size = (tmp_path / "davis.zip.part").stat().st_size
    assert 0 < size < len(ARCHIVE)
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert home.requests[-1]["Range"] == f"bytes={size}-"


def test_complete_part_is_not_asked_for_again(home, tmp_path):
    (tmp_path / "davis.zip.part").write_bytes(ARCHIVE)
    state = {"url": f"{home.url}/davis.zip", "validator": '"one"', "size": len(ARCHIVE)}
    (tmp_path / "davis.zip.part.json").write_text(json.dumps(state))
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert home.requests == []


def broken_off(home: Home, root: Path) -> None:
    """A first call that leaves 60000 bytes of the archive."""
    home.breaks = [60_000, 0, 0, 0]
    with pytest.raises(ConnectionError):
        fetch("davis2016", root, progress=False)
    home.breaks = []
    home.requests.clear()


def test_server_that_ignores_range_starts_again(home, tmp_path):
    home.ranges = False
    broken_off(home, tmp_path)
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert len(home.requests) == 1


CHANGED = zipped({f"DAVIS/{name}": content for name, content in (MASKS | FRAMES).items()})


@pytest.mark.parametrize("checks_if_range", [True, False])
def test_changed_file_is_not_glued_to_the_old_one(home, tmp_path, checks_if_range):
    assert len(CHANGED) == len(ARCHIVE) and CHANGED != ARCHIVE
    broken_off(home, tmp_path)
    home.files["/davis.zip"], home.etag = CHANGED, '"two"'
    home.checks_if_range = checks_if_range
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    (record,) = json.loads((tmp_path / "checksums.json").read_text()).values()
    assert record["sha256"] == hashlib.sha256(CHANGED).hexdigest()
    assert len(home.requests) == (1 if checks_if_range else 2)


def test_range_that_starts_elsewhere_is_refused(home, tmp_path):
    broken_off(home, tmp_path)
    home.shift = 1
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert "Range" not in home.requests[-1]


def test_file_of_another_length_is_not_glued(home, tmp_path):
    broken_off(home, tmp_path)
    home.files["/davis.zip"] = zipped(
        {f"DAVIS/{n}": c for n, c in (MASKS | FRAMES).items()} | {"x": b""}
    )
    with pytest.raises(ValueError, match="does not hold"):  # "x" beside DAVIS: no single wrapping
        fetch("davis2016", tmp_path, progress=False)
    assert len(home.requests) == 2 and "Range" not in home.requests[1]


def test_without_validator_nothing_is_continued(home, tmp_path):
    home.etag = None
    broken_off(home, tmp_path)
    home.files["/davis.zip"] = CHANGED
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert "Range" not in home.requests[0]


@pytest.mark.parametrize("state", ["", "{}", '{"url": "http://elsewhere/davis.zip"}'])
def test_part_of_unknown_origin_is_not_continued(home, tmp_path, state):
    (tmp_path / "davis.zip.part").write_bytes(b"x" * 60_000)
    (tmp_path / "davis.zip.part.json").write_text(state)
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert "Range" not in home.requests[0]


def test_unsatisfiable_range_starts_again(home, tmp_path):
    broken_off(home, tmp_path)
    home.statuses = [416]
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert "Range" not in home.requests[-1]


def test_overloaded_server_is_asked_again_and_a_missing_file_is_not(home, tmp_path):
    home.statuses = [503, 429]
    assert_davis(fetch("davis2016", tmp_path / "a", progress=False))
    assert len(home.requests) == 3
    home.requests.clear()
    home.files = {}
    with pytest.raises(ConnectionError, match=r"davis\.zip answered 404 Not Found"):
        fetch("davis2016", tmp_path / "b", progress=False)
    assert len(home.requests) == 1


def test_unreachable_server_is_named(home, tmp_path, monkeypatch):
    home.url = "http://127.0.0.1:9"
    use(monkeypatch, home, "/davis.zip")
    with pytest.raises(ConnectionError, match=r"^http://127\.0\.0\.1:9/davis\.zip .*refused\.$"):
        fetch("davis2016", tmp_path, progress=False)


@pytest.mark.parametrize("name, value", [("Location", "http://[::1/"), ("Content-Length", "x")])
def test_answers_that_make_no_sense_are_named(home, tmp_path, monkeypatch, name, value):
    def odd(request):
        request.send_response(302 if name == "Location" else 200)
        request.send_header(name, value)
        request.end_headers()

    monkeypatch.setattr(home, "answer", odd)
    with pytest.raises(ConnectionError, match=r"davis\.zip could not be downloaded: "):
        fetch("davis2016", tmp_path, progress=False)


@pytest.mark.parametrize(
    "name", ["../evil", "DAVIS/../../evil", "/evil", "..\\evil", "C:/evil", "C:evil", "\\evil"]
)
def test_member_outside_the_folder_is_refused(home, tmp_path, name):
    home.files["/davis.zip"] = zipped({f"DAVIS/{n}": c for n, c in FRAMES.items()} | {name: b"!"})
    root = tmp_path / "a" / "b"
    with pytest.raises(ValueError, match=r"davis\.zip holds '.*evil', which would land outside"):
        fetch("davis2016", root, progress=False)
    assert sorted(path.name for path in root.iterdir()) == ["davis.zip"]
    assert not list(tmp_path.rglob("*evil*"))


def test_link_is_refused(home, tmp_path):
    link = zipfile.ZipInfo("DAVIS/JPEGImages")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(link, "/etc")
    home.files["/davis.zip"] = data.getvalue()
    with pytest.raises(ValueError, match="DAVIS/JPEGImages"):
        fetch("davis2016", tmp_path, progress=False)
    assert not (tmp_path / "DAVIS").exists()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_two_sets_at_once_are_both_recorded(home, tmp_path, monkeypatch):
    def slow(path, read=download.read_json):
        try:
            return read(path)
        finally:
            time.sleep(0.2)

    home.files["/other.zip"] = zipped({"Imgs/a.jpg": b"a"})
    other = replace(SOURCES[4], urls=(home.url + "/other.zip",))
    monkeypatch.setattr(download, "SOURCES", (download.SOURCES[0], other))
    monkeypatch.setattr(download, "read_json", slow)
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda name: fetch(name, tmp_path, False), ("davis2016", "msra10k")))
    assert len(json.loads((tmp_path / "checksums.json").read_text())) == 2


@pytest.mark.parametrize(
    "data",
    [ARCHIVE[:100_000], flipped(ARCHIVE, 100_000), b"<html>moved</html>", b""],
    ids=["truncated", "bit flipped", "html", "empty"],
)
def test_damaged_archive_leaves_no_folder_and_no_record(home, tmp_path, data):
    home.files["/davis.zip"] = data
    with pytest.raises(ValueError, match=r"davis\.zip is damaged or no zip archive \(.+\); delete"):
        fetch("davis2016", tmp_path, progress=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["davis.zip"]
    home.files["/davis.zip"] = ARCHIVE
    (tmp_path / "davis.zip").unlink()  # as the message says
    assert_davis(fetch("davis2016", tmp_path, progress=False))


def test_archive_of_something_else_is_named(home, tmp_path):
    home.files["/davis.zip"] = zipped({"cats/a.jpg": b"", "dogs/b.jpg": b""})
    with pytest.raises(ValueError, match=r"JPEGImages/480p, Annotations/480p but cats, dogs"):
        fetch("davis2016", tmp_path, progress=False)
    home.files["/davis.zip"] = zipped({})
    (tmp_path / "davis.zip").unlink()
    (tmp_path / "checksums.json").unlink()
    with pytest.raises(ValueError, match="but nothing"):
        fetch("davis2016", tmp_path, progress=False)
    assert not (tmp_path / "DAVIS").exists()


def test_wrapping_and_litter_are_left_behind(home, tmp_path):
    files = {f"a/b/{name}": content for name, content in (FRAMES | MASKS).items()}
    litter = {"__MACOSX/a/._b": b"", "a/.DS_Store": b"", "a/b/.DS_Store": b""}
    home.files["/davis.zip"] = zipped(files | litter)
    assert_davis(fetch("davis2016", tmp_path, progress=False))


def test_archive_at_hand_replaces_the_download_and_is_kept(home, tmp_path):
    (tmp_path / "davis.zip").write_bytes(ARCHIVE)
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert home.requests == []
    assert (tmp_path / "davis.zip").exists()


def test_existing_folder_is_left_alone(home, tmp_path):
    fetch("davis2016", tmp_path, progress=False)
    mine = tmp_path / "DAVIS" / "JPEGImages" / "480p" / "mine.jpg"
    mine.write_bytes(b"mine")
    home.requests.clear()
    assert fetch("davis2016", tmp_path, progress=False) == tmp_path / "DAVIS"
    assert home.requests == [] and mine.read_bytes() == b"mine"


def test_incomplete_folder_and_file_in_its_place_are_named(home, tmp_path):
    (tmp_path / "DAVIS" / "JPEGImages" / "480p").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"DAVIS exists but lacks Annotations/480p; move"):
        fetch("davis2016", tmp_path, progress=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "DAVIS").write_text("")
    with pytest.raises(ValueError, match="DAVIS is a file"):
        fetch("davis2016", tmp_path / "other", progress=False)
    assert home.requests == []


def test_empty_folder_and_remains_of_a_killed_run_do_not_matter(home, tmp_path):
    (tmp_path / "DAVIS").mkdir()
    (tmp_path / ".DAVIS.extracting" / "old").mkdir(parents=True)
    assert_davis(fetch("davis2016", tmp_path, progress=False))
    assert not (tmp_path / ".DAVIS.extracting").exists()


@pytest.mark.parametrize("there", [True, False])
def test_link_to_an_empty_folder_elsewhere_is_filled(home, tmp_path, there):
    disk = tmp_path / "disk" / "davis"
    if there:
        disk.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "DAVIS").symlink_to(disk)
    assert fetch("davis2016", tmp_path / "data", progress=False) == tmp_path / "data" / "DAVIS"
    assert_davis(disk)
    assert [path.name for path in disk.parent.iterdir()] == ["davis"]


def test_record_of_another_machine_is_compared(home, tmp_path):
    fetch("davis2016", tmp_path / "first", progress=False)
    made = json.loads((tmp_path / "first" / "checksums.json").read_text())
    made[f"{home.url}/davis.zip"]["date"] = "2020-01-31"
    records = json.dumps(made)
    second = tmp_path / "second"
    second.mkdir()
    (second / "checksums.json").write_text(records)
    assert_davis(fetch("davis2016", second, progress=False))
    assert (second / "checksums.json").read_text() == records

    third = tmp_path / "third"
    third.mkdir()
    (third / "checksums.json").write_text(records)
    home.files["/davis.zip"] = CHANGED
    with pytest.raises(
        ValueError, match=r"is not the file that .*checksums\.json recorded on"
    ) as e:
        fetch("davis2016", third, progress=False)
    assert hashlib.sha256(CHANGED).hexdigest() in str(e.value)
    assert hashlib.sha256(ARCHIVE).hexdigest() in str(e.value)
    assert not (third / "DAVIS").exists()
    (third / "checksums.json").unlink()
    assert_davis(fetch("davis2016", third, progress=False))


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is not readable as JSON"), ("[1]", "must hold a JSON object")]
)
def test_unreadable_record_is_named(home, tmp_path, text, said):
    (tmp_path / "checksums.json").write_text(text)
    with pytest.raises(ValueError, match=rf"checksums\.json {said}.* Mend or delete it"):
        fetch("davis2016", tmp_path, progress=False)


def test_other_records_are_kept(home, tmp_path):
    (tmp_path / "checksums.json").write_text('{"http://other": {"sha256": "0"}}')
    fetch("davis2016", tmp_path, progress=False)
    assert json.loads((tmp_path / "checksums.json").read_text())["http://other"] == {"sha256": "0"}


def test_too_little_space_is_seen_before_writing(home, tmp_path, monkeypatch):
    usage = transfer.shutil.disk_usage(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(transfer.shutil, "disk_usage", lambda path: usage._replace(free=150_000))
        with pytest.raises(OSError, match=r"No space for 0\.2 MB") as error:
            fetch("davis2016", tmp_path, progress=False)
    assert error.value.errno == errno.ENOSPC and str(tmp_path) in str(error.value)
    assert not (tmp_path / "DAVIS").exists()
    assert_davis(fetch("davis2016", tmp_path, progress=False))


def test_too_little_space_to_extract_is_seen_before_writing(home, tmp_path, monkeypatch):
    (tmp_path / "davis.zip").write_bytes(ARCHIVE)
    usage = transfer.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda path: usage._replace(free=200_000))
    with pytest.raises(OSError, match=r"No space for 0\.2 MB"):  # it holds 200024 bytes
        fetch("davis2016", tmp_path, progress=False)
    assert not (tmp_path / "DAVIS").exists()


def test_sets_behind_a_form_say_where_and_how(tmp_path):
    for name in ("davsod", "visal"):
        with pytest.raises(ValueError, match="cannot be fetched by a program") as error:
            fetch(name, tmp_path, progress=False)
        assert "https://github.com/" in str(error.value)
        assert "<video>/Imgs/*.jpg" in str(error.value) and str(tmp_path) in str(error.value)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "DAVSOD" / "Test").mkdir(parents=True)
    assert fetch("davsod", tmp_path, progress=False) == tmp_path / "DAVSOD"


def test_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(ValueError, match=r"'davis'; choose one of davis2016, fbms, visal"):
        fetch("davis", tmp_path)


def test_available_tells_what_is_here(root, tmp_path):
    (tmp_path / "DAVIS" / "JPEGImages").mkdir(parents=True)
    (tmp_path / "FBMS").mkdir()  # empty: not here
    (tmp_path / "DUTS-TR.zip").write_bytes(b"")
    rows = available(tmp_path)
    assert [source for source, _ in rows] == list(SOURCES)
    found = {source.name: path for source, path in rows}
    assert found["davis2016"] == tmp_path / "DAVIS"
    assert found["fbms"] is None
    assert found["duts-tr"] == tmp_path / "DUTS-TR.zip"
    assert all(path is None for _, path in available(tmp_path / "nowhere"))
    itself = root / "DAVIS"  # as `vsod data make-synthetic` writes it
    assert dict(available(itself))[SOURCES[0]] == itself


def test_table_of_sources_is_complete():
    for source in SOURCES:
        assert isinstance(source, Source)
        assert source.home.startswith("http") and source.licence
        assert bool(source.urls) == bool(source.contents) != bool(source.by_hand)
        assert len({url.rpartition("/")[2] for url in source.urls}) == len(source.urls)
        assert all(url.endswith(".zip") for url in source.urls)


def picture(suffix: str) -> bytes:
    data = io.BytesIO()
    form = Image.registered_extensions()[suffix]
    Image.new("RGB" if suffix == ".jpg" else "L", (8, 6), 255).save(data, form)
    return data.getvalue()


# What the official archives hold, as far as public download scripts show.
OFFICIAL = {
    "davis2016": {
        "DAVIS-data.zip": [
            "DAVIS/JPEGImages/480p/bear/00000.jpg",
            "DAVIS/Annotations/480p/bear/00000.png",
            "DAVIS/ImageSets/480p/train.txt",
        ]
    },
    "fbms": {
        "FBMS_Trainingset.zip": [
            "Trainingset/bear01/bear01_0001.jpg",
            "Trainingset/bear01/GroundTruth/bear01_0001_gt.png",
        ],
        "FBMS_Testset.zip": [
            "Testset/cats01/cats01_01.jpg",
            "Testset/cats01/GroundTruth/cats01_01_gt.png",
        ],
    },
    "msra10k": {
        "MSRA10K_Imgs_GT.zip": ["MSRA10K_Imgs_GT/Imgs/1.jpg", "MSRA10K_Imgs_GT/Imgs/1.png"]
    },
    "dut-omron": {
        "DUT-OMRON-image.zip": ["DUT-OMRON-image/im1.jpg", "__MACOSX/DUT-OMRON-image/._im1.jpg"],
        "DUT-OMRON-gt-pixelwise.zip.zip": ["pixelwiseGT-new-PNG/im1.png"],
    },
    "duts-tr": {"DUTS-TR.zip": ["DUTS-TR/DUTS-TR-Image/n1.jpg", "DUTS-TR/DUTS-TR-Mask/n1.png"]},
}


def test_every_fetchable_set_is_tried_below():
    assert set(OFFICIAL) == {source.name for source in SOURCES if source.urls}


@pytest.mark.parametrize("name", OFFICIAL)
def test_what_is_fetched_can_be_opened(home, tmp_path, monkeypatch, name):
    listing = b"/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n"
    home.files = {
        f"/{archive}": zipped(
            {m: listing if m.endswith(".txt") else picture(Path(m).suffix) for m in members}
        )
        for archive, members in OFFICIAL[name].items()
    }
    monkeypatch.setattr(
        download,
        "SOURCES",
        tuple(
            replace(s, urls=tuple(f"{home.url}/{url.rpartition('/')[2]}" for url in s.urls))
            for s in SOURCES
        ),
    )
    fetch(name, tmp_path, progress=False)
    dataset = open_dataset(name, "train", tmp_path)
    assert len(dataset) == 1
    assert dataset.image(0).shape == (6, 8, 3) and dataset.mask(0).all()
