"""No address that a user gives leads into a private network."""

import pytest
from chat_api.public_host import is_public_host

from tests.api.serving import QUESTION, Api

pytestmark = pytest.mark.asyncio(loop_scope="module")

PRIVATE = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[::]",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[::ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[ff02::1]",
    "localhost",
    "LOCALHOST.",
    "a.localhost",
    "redis",
    "rabbitmq.eco2.svc.cluster.local",
    "metadata.google.internal",
    "printer.lan",
    "1.0.0.127.in-addr.arpa",
    "a..b",
    # What a client that follows the rules of browsers makes the same addresses of.
    r"127.0.0.1\.pictures.example",
    "%31%32%37.0.0.1",
    "１２７.0.0.1",
    "127.0。0.1",
    "①②⑦.⓪.⓪.①",
    "metadata.google.ｉnternal",
    "127.0.0.08",
    "127.0.0.1;.pictures.example",
    "a b.example",
    "redis.default.svc",
    "localhost.localdomain",
    "[::127.0.0.1]",
]


@pytest.mark.parametrize("host", PRIVATE)
async def test_a_picture_of_a_private_network_is_no_picture(api: Api, host: str) -> None:
    for port in ("", ":8443"):
        response = await api.post({"message": QUESTION, "image_url": f"https://{host}{port}/a.png"})
        assert response.status_code == 422
        assert [error["field"] for error in response.json()["errors"]] == ["body.image_url"]


async def test_a_picture_of_the_web_is_passed_on(api: Api) -> None:
    for host in ("pictures.example", "pictures.example.", "8.8.8.8", "[2606:4700::1111]", "사진.한국"):
        assert (
            await api.post({"message": QUESTION, "image_url": f"https://{host}/a.png"})
        ).status_code == 202
    assert is_public_host("xn--hj2bx2f.xn--3e0b707e")
