"""Pictures: taken without what they tell of their maker, shown to those they concern and to nobody else, never lost."""

import io
import re
import signal
import zlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_process import Gateway, gateway_at, report, update, wait_until
from hypothesis import given, settings
from hypothesis import strategies as st
from open311_client import Open311
from PIL import Image

from dispatcher.gateway.media.pictures import PIXELS_MAX, BadPicture, cleaned
from dispatcher.gateway.media.store import MediaError, MediaStore, StoreFull, Use

RED, BLUE = (200, 10, 10), (10, 10, 200)
GPS, MAKER, ORIENTATION = 0x8825, 0x010F, 0x0112


def picture(form: str = "JPEG", size: tuple[int, int] = (64, 32), colour: tuple[int, ...] = RED, **more: Any) -> bytes:
    """Of one colour, its left quarter blue; with a place and a telephone in it."""
    made = Image.new("RGB", size, colour)
    made.paste(BLUE, (0, 0, size[0] // 4, size[1]))
    exif = Image.Exif()
    exif[MAKER] = "Secret Telephone"
    exif.get_ifd(GPS)[2] = (40.0, 45.0, 0.0)
    exif[ORIENTATION] = more.pop("orientation", 1)
    out = io.BytesIO()
    made.save(out, form, exif=exif, **more)
    return out.getvalue()


# --- what is kept of a picture ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "kept"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/jpeg")])
def test_only_what_is_seen_is_kept(form: str, kept: str):
    data = picture(form, comment=b"my home") if form == "JPEG" else picture(form)
    assert b"Secret Telephone" in data
    made = cleaned(data, 1_000_000)
    assert (made.media_type, made.width, made.height) == (kept, 64, 32)
    assert b"Secret" not in made.data
    assert b"my home" not in made.data
    with Image.open(io.BytesIO(made.data)) as read:
        assert dict(read.getexif()) == {}
        assert set(read.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert read.convert("RGB").getpixel((60, 16)) == pytest.approx(RED, abs=12)
    assert cleaned(data, 1_000_000) == made


def test_a_picture_is_turned_as_the_camera_was_held():
    made = cleaned(picture(orientation=6), 1_000_000)  # a quarter turn: what was left is at the top
    assert (made.width, made.height) == (32, 64)
    with Image.open(io.BytesIO(made.data)) as read:
        assert read.getpixel((16, 4)) == pytest.approx(BLUE, abs=12)
        assert read.getpixel((16, 60)) == pytest.approx(RED, abs=12)


def test_what_is_clear_stays_clear_and_texts_in_a_png_go():
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_text("Author", "somebody")
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (1, 2, 3, 4)).save(out, "PNG", pnginfo=text)
    made = cleaned(out.getvalue(), 1_000_000)
    assert b"somebody" not in made.data
    with Image.open(io.BytesIO(made.data)) as read:
        assert read.getpixel((0, 0)) == (1, 2, 3, 4)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is very large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not a picture"),
        (b"GIF89a" + bytes(100), "not a picture"),
        (picture()[:-200], "not a picture"),
        (picture("PNG")[:-40], "not a picture"),
        (bomb(PIXELS_MAX // 1_000, 1_001), "pixels"),
        (bomb(60_000, 60_000), "Bomb"),
        (bomb(100, 30_000), "pixels"),
        (bomb(1_000, 1_000), "not a picture"),
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_refused(data: bytes, said: str):
    with pytest.raises(BadPicture, match=said):
        cleaned(data, 1_000_000)


def test_what_grows_beyond_the_limit_when_encoded_is_refused():
    with pytest.raises(BadPicture, match="as it would be kept"):
        cleaned(picture(size=(200, 200)), 500)


@settings(max_examples=60)
@given(st.data())
def test_any_damage_is_the_pictures_fault(data: st.DataObject):
    whole = bytearray(picture(data.draw(st.sampled_from(["JPEG", "PNG", "WEBP"]))))
    for at in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=8)):
        whole[at] = data.draw(st.integers(0, 255))
    try:
        made = cleaned(bytes(whole), 1_000_000)
    except BadPicture:
        return
    with Image.open(io.BytesIO(made.data)) as read:
        read.load()
        assert dict(read.getexif()) == {}


# --- the store -------------------------------------------------------------------------------------------------------


def test_a_store_keeps_what_it_has_and_no_more_than_it_may(tmp_path: Path):
    first, second = cleaned(picture(), 100_000), cleaned(picture(colour=BLUE), 100_000)
    store = MediaStore(tmp_path / "media", len(first.data) + 10)
    kept = store.add(first, "k1")
    assert store.add(first, "k2") == kept
    with pytest.raises(StoreFull):
        store.add(second, "k1")
    store.attach([(kept.sha256, Use("i1")), (kept.sha256, Use(source="s", report_id="r")), (kept.sha256, Use("i1"))])
    store.close()
    again = MediaStore(tmp_path / "media", len(first.data) + 10)
    assert again.kept(kept.sha256) == kept
    assert again.read(kept.sha256) == first.data
    assert [again.is_uploader(kept.sha256, key) for key in ("k1", "k2", "k3")] == [True, True, False]
    assert sorted(again.uses(kept.sha256)) == [Use("", "s", "r"), Use("i1")]
    assert again.attached([Use("i1"), Use("", "s", "r"), Use("i2")]) == [kept]
    assert again.attached([Use("i2"), Use("", "s", "q")]) == again.attached([]) == []
    assert again.kept("0" * 64) is None
    with pytest.raises(StoreFull):
        again.add(second, "k1")
    again.close()
    assert (tmp_path / "media").stat().st_mode & 0o777 == 0o700


def test_another_programs_database_is_left_alone(tmp_path: Path):
    import sqlite3

    (tmp_path / "media").mkdir()
    db = sqlite3.connect(tmp_path / "media" / "index.db")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(MediaError, match="another program"):
        MediaStore(tmp_path / "media", 1)


# --- over HTTP -------------------------------------------------------------------------------------------------------


def handed_in(gateway: Gateway, name: str, data: bytes) -> dict[str, Any]:
    with gateway.client(name) as client:
        answer = client.post("/v1/media", content=data, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def seen_by(gateway: Gateway, url: str, *names: str) -> set[str]:
    found = set()
    for name in names:
        with gateway.client(name) as client:
            answer = client.get(url)
        assert answer.status_code in (200, 403, 404)
        if answer.status_code == 200:
            found.add(name)
    return found


EVERYBODY = (
    "reporter",
    "app",
    "camera",
    "dispatcher",
    "elsewhere",
    "nowhere",
    "dep",
    "nypd",
    "street",
    "other_street",
    "admin",
)


def test_a_picture_is_seen_by_who_handed_it_in_and_whom_its_incident_concerns(gateway: Gateway):
    kept = handed_in(gateway, "reporter", picture(size=(65, 33)))
    assert re.fullmatch(r"/v1/media/[0-9a-f]{64}", kept["url"])
    assert seen_by(gateway, kept["url"], *EVERYBODY) == {"reporter"}
    gateway.opened("reporter", report("media-1", category="noise.collection-truck", media=[kept["url"]]))
    assert seen_by(gateway, kept["url"], *EVERYBODY) == {"reporter", "dispatcher", "street"} | _lead(gateway, "media-1")
    with gateway.client("dispatcher") as client:
        answer = client.get(kept["url"])
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "private, no-store"
    with Image.open(io.BytesIO(answer.content)) as read:
        assert read.size == (65, 33)
    assert httpx.get(f"{gateway.url}{kept['url']}").status_code == 401


def _lead(gateway: Gateway, report_id: str) -> set[str]:
    with gateway.client("dispatcher") as client, gateway.client("reporter") as reporting:
        incident_id = reporting.get(f"/v1/reports/nyc-311/{report_id}").json()["incident_id"]
        return {client.get(f"/v1/incidents/{incident_id}").json()["lead"]["department"]} & set(EVERYBODY)


def test_a_picture_goes_with_its_incident_into_the_one_it_is_merged_into(gateway: Gateway):
    kept = handed_in(gateway, "reporter", picture(size=(67, 33)))
    place = {"lon": -73.99, "lat": 40.756}
    gone = gateway.opened("reporter", report("media-2", category="noise", location=place, media=[kept["url"]]))
    far = gateway.opened("reporter", report("media-3", category="noise", location={"lon": -74.15, "lat": 40.58}))
    assert seen_by(gateway, kept["url"], "elsewhere") == set()
    with gateway.client("dispatcher") as client:
        said = client.post("/v1/updates?wait_s=10", json=update(gone, "media-merge", "merge", into=far)).json()
    assert said["updates"][0]["state"] == "taken", said
    assert seen_by(gateway, kept["url"], "elsewhere", "dispatcher") == {"elsewhere", "dispatcher"}


def test_evidence_of_a_department_is_seen_by_the_centre(gateway: Gateway):
    kept = handed_in(gateway, "dep", picture(size=(66, 33)))
    incident_id = gateway.opened(
        "reporter", report("media-4", category="noise", location={"lon": -73.9793, "lat": 40.7491})
    )
    assert seen_by(gateway, kept["url"], "dep", "dispatcher") == {"dep"}
    with gateway.client("dep") as client:
        made = update(incident_id, "media-note", "note", text="done", media=[kept["url"]])
        assert client.post("/v1/updates", json=made).status_code == 201
    assert seen_by(gateway, kept["url"], *EVERYBODY) == {"dep", "dispatcher", "street"}
    with gateway.client("street") as client:
        said = client.get(f"/v1/incidents/{incident_id}/media").json()
    assert said == {"media": [{name: kept[name] for name in ("sha256", "url", "type", "bytes")}]}


def test_the_pictures_of_an_incident_are_its_reports_and_what_came_since(gateway: Gateway):
    brought, since = (handed_in(gateway, name, picture(size=(n, 35))) for name, n in (("reporter", 70), ("street", 71)))
    place = {"lon": -73.9785, "lat": 40.7493}
    incident_id = gateway.opened(
        "reporter", report("media-5", category="noise", location=place, media=[brought["url"]])
    )
    with gateway.client("street") as client:
        made = update(incident_id, "media-5", "note", text="seen", media=[since["url"], since["url"]])
        assert client.post("/v1/updates", json=made).status_code == 201
        said = client.get(f"/v1/incidents/{incident_id}/media").json()["media"]
    assert [each["sha256"] for each in said] == [brought["sha256"], since["sha256"]]


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/a.jpg",
        "http://127.0.0.1/latest/meta-data",
        "javascript:alert(1)",
        "/v1/media/" + "0" * 64,
        "/v1/media/../keys",
        "//evil.example/x",
        "https://[bad",
        "x",
    ],
)
def test_a_link_leads_to_the_store_or_where_it_may(gateway: Gateway, link: str):
    with gateway.client("reporter") as client:
        answer = client.post("/v1/reports", json=report("media-bad", media=[link]))
        assert answer.status_code == 422
        assert answer.json()["type"] in ("urn:dispatch:bad_link", "urn:dispatch:no_such_media")


def test_nobody_opens_a_picture_by_attaching_its_name(gateway: Gateway):
    kept = handed_in(gateway, "reporter", picture(size=(68, 33)))
    with gateway.client("street") as client:
        answer = client.post("/v1/reports", json=report("media-thief", media=[kept["url"]]))
        assert answer.status_code == 422
        assert answer.json()["type"] == "urn:dispatch:no_such_media"
    assert seen_by(gateway, kept["url"], "street") == set()


@pytest.mark.parametrize(
    ("name", "content", "status", "word"),
    [
        ("reporter", b"no picture", 422, "bad_picture"),
        ("reporter", b"", 422, "bad_picture"),
        ("reporter", b"x" * 10_500_000, 413, "too_large"),
        ("admin", picture(), 403, "forbidden"),
        (None, picture(), 401, "unauthorized"),
    ],
)
def test_what_cannot_be_handed_in_is_told(gateway: Gateway, name: str | None, content: bytes, status: int, word: str):
    with gateway.client(name) as client:
        answer = client.post("/v1/media", content=content)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:dispatch:{word}")


def test_a_request_of_open311_carries_its_picture(open_gateway: Gateway):
    kept = handed_in(open_gateway, "app", picture(size=(69, 33)))
    with Open311(open_gateway, "app") as app:
        place = {"lat": "40.7412", "long": "-73.9961"}
        request_id = app.asked(service_code="street.sign-missing", media_url=kept["url"], **place)
        (own,) = app.get(f"requests/{request_id}")
        assert own["media_url"] == f"{open_gateway.url}{kept['url']}"
        bad = app.post(service_code="street.sign-missing", media_url="https://elsewhere.example/x", **place)
        assert (bad.status_code, bad.json()[0]["code"]) == (400, 400)
    with Open311(open_gateway) as nobody:
        assert nobody.get(f"requests/{request_id}")[0]["media_url"] is None


def test_hosts_that_are_named_are_let_through(open_city: Path, tmp_path: Path):
    config = tmp_path / "config.yaml"
    text = open_city.read_text(encoding="utf-8").replace("policy: policy", f"policy: {open_city.parent / 'policy'}")
    text = text.replace("grid: grid.geojson", f"grid: {open_city.parent / 'grid.geojson'}")
    config.write_text(f"{text}media: {{hosts: [cam.example], url: 'https://city.example'}}\n", encoding="utf-8")
    with gateway_at(config, tmp_path) as made:
        kept = handed_in(made, "reporter", picture())
        assert kept["url"] == f"https://city.example/v1/media/{kept['sha256']}"
        links = {"https://CAM.example/1.jpg": 201, "http://cam.example/1.jpg": 422, "https://cam.example.evil/1": 422}
        links |= {"https://u@cam.example/1": 422, kept["url"]: 201, f"/v1/media/{kept['sha256']}": 201}
        with made.client("reporter") as client:
            for n, (link, status) in enumerate(links.items()):
                assert client.post("/v1/reports", json=report(f"h{n}", media=[link])).status_code == status, link


@pytest.mark.timeout(120)
def test_what_was_taken_is_there_after_a_kill(own_gateway: Gateway):
    pictures = [picture(size=(30 + n, 40)) for n in range(12)]
    kept = [handed_in(own_gateway, "reporter", data) for data in pictures]
    own_gateway.stop(signal.SIGKILL)
    own_gateway.start()
    for each, data in zip(kept, pictures, strict=True):
        assert handed_in(own_gateway, "reporter", data)["sha256"] == each["sha256"]
        assert seen_by(own_gateway, each["url"], "reporter") == {"reporter"}
    own_gateway.opened("reporter", report("after", media=[kept[0]["url"]]))
    wait_until(lambda: seen_by(own_gateway, kept[0]["url"], "dispatcher") == {"dispatcher"})
