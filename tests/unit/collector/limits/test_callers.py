"""Whose request it is: behind which proxies, from which network."""

from ipaddress import ip_network

import pytest

from pipeline.collector.limits.callers import Proxies, own_network

PROXIES = Proxies([ip_network("10.0.0.0/8"), ip_network("::1/128")])


def client(peer: str, *forwarded: str) -> str:
    headers = [("host", "x"), *(("x-forwarded-for", value) for value in forwarded)]
    return PROXIES.client(peer, headers)


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        (["8.8.8.8"], "8.8.8.8:0"),
        (["8.8.8.8:4711"], "8.8.8.8:4711"),
        (["1.1.1.1, 8.8.8.8"], "8.8.8.8:0"),
        (["1.1.1.1", "8.8.8.8"], "8.8.8.8:0"),
        (["8.8.8.8, 10.0.0.2,10.0.0.3"], "8.8.8.8:0"),
        (["10.0.0.7"], "10.0.0.7:0"),
        (["2001:db8:1:2::3"], "[2001:db8:1:2::3]:0"),
        (["[2001:db8:1:2::3]:443"], "[2001:db8:1:2::3]:443"),
        (["8.8.8.8, unknown, 10.0.0.3"], "10.0.0.3:0"),
        (["8.8.8.8, a\r\nb"], "10.0.0.1:50"),
        ([""], "10.0.0.1:50"),
        ([], "10.0.0.1:50"),
    ],
    ids=str,
)
def test_behind_trusted_proxies_it_is_the_last_that_is_none_of_them(
    forwarded: list[str], found: str
) -> None:
    assert found == client("10.0.0.1:50", *forwarded)


@pytest.mark.parametrize("peer", ["8.8.4.4:50", "11.0.0.1:50", "[2001:db8::1]:50", "", "unix:"])
def test_who_is_no_trusted_proxy_cannot_say_that_it_is_another(peer: str) -> None:
    assert peer == client(peer, "8.8.8.8")


def test_proxies_are_known_by_ipv6_and_by_ipv4_in_ipv6() -> None:
    assert "8.8.8.8:0" == client("[::1]:50", "8.8.8.8")
    assert "8.8.8.8:0" == client("[::ffff:10.0.0.1]:50", "8.8.8.8")


def test_of_a_thousand_hops_only_the_last_are_looked_at() -> None:
    assert "10.0.0.3:0" == client("10.0.0.1:50", "8.8.8.8" + ", 10.0.0.3" * 1000)


@pytest.mark.parametrize(
    ("caller", "network"),
    [
        ("8.8.8.8:0", "8.8.8.0"),
        ("[2a00:1450:4001:81b::1]:50", "2a00:1450:4001::"),
        ("127.0.0.1:50", ""),
        ("10.1.2.3:50", ""),
        ("192.168.0.1:50", ""),
        ("[::1]:50", ""),
        ("[fd00::1]:50", ""),
        ("", ""),
    ],
)
def test_networks_in_which_anybody_may_be_are_not_told_apart(caller: str, network: str) -> None:
    assert network == own_network(caller)
