import pytest

from agent.errors import ConfigError
from agent.source.address import check_commit, check_ref, check_url


@pytest.mark.parametrize(
    ("url", "scheme", "origin"),
    [
        ("https://git.example.com/team/platform.git", "https", "https://git.example.com"),
        ("https://Git.Example.com:8443/a", "https", "https://git.example.com:8443"),
        ("https://[2001:db8::1]/a", "https", "https://[2001:db8::1]"),
        ("ssh://git@git.example.com:2222/a.git", "ssh", "ssh://git.example.com:2222"),
        ("git@git.example.com:team/a.git", "ssh", "ssh://git.example.com"),
        ("file:///srv/git/a.git", "file", "file://"),
        ("file://localhost/srv/git/a.git", "file", "file://"),
    ],
)
def test_ordinary_addresses_are_accepted(url: str, scheme: str, origin: str) -> None:
    address = check_url(url)
    assert (address.url, address.scheme, address.origin) == (url, scheme, origin)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ext::sh -c id",
        "ext::id",
        "fd::17",
        "--upload-pack=id",
        "-oProxyCommand=id",
        "ssh://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id@host/x",
        "git@-oProxyCommand=id:x",
        "git@host:-x",
        "git://git.example.com/a",
        "ftp://git.example.com/a",
        "https://user:token@git.example.com/a",
        "https://token@git.example.com/a",
        "ssh://git:pass@git.example.com/a",
        "https:///a",
        "https://host:port/a",
        "https://git.example.com/a?token=1",
        "https://git.example.com/a#b",
        "https://git.example.com/a\nhost=evil",
        "https://git.example.com/a%0ahost=evil",
        "https://git.example.com/a b",
        "file://otherhost/srv/a",
        "file://user:token@localhost/srv/a",
        "/srv/git/a.git",
        "../a",
        "https://git.example.com/" + "a" * 2100,
    ],
)
def test_doubtful_addresses_are_refused_as_configuration(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_url(url, allow_http=True)
    assert caught.value.error_code == "source-url"
    assert caught.value.exit_status == 78


def test_a_refused_address_is_never_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        check_url("https://user:sesame@git.example.com/a")
    shown = f"{caught.value.what}{caught.value.got}{caught.value.why}{caught.value.fix}"
    assert "sesame" not in shown
    assert "token in a file" in shown


def test_http_needs_to_be_allowed_by_name() -> None:
    with pytest.raises(ConfigError, match="not encrypted"):
        check_url("http://git.example.com/a")
    assert check_url("http://git.example.com/a", allow_http=True).scheme == "http"


@pytest.mark.parametrize(
    "name", ["main", "feature/x", "v1.4.0", "refs/heads/main", "ü", "a@b", "release-1.x", "a" * 255]
)
def test_names_that_git_allows_are_accepted(name: str) -> None:
    assert check_ref(name, "branch") == name.removeprefix("refs/heads/")


@pytest.mark.parametrize(
    "name",
    [
        "", "-x", "--upload-pack=id", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[b", "a\\b", "a@{1}", "@", "/a",
        "a/", "a//b", ".a", "a/.b", "a.lock", "a.lock/b", "a.", "a\nb", "a\x7f", "a" * 256,
    ],
)  # fmt: skip
def test_names_that_git_forbids_are_refused(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_ref(name, "tag")
    assert caught.value.error_code == "source-ref"


def test_a_commit_must_be_whole() -> None:
    assert check_commit("ABCDEF0123" * 4) == "abcdef0123" * 4
    assert check_commit("ab" * 32) == "ab" * 32
    for short in ("abc1234", "ab" * 19 + "a", "ab" * 21, "g" * 40, ""):
        with pytest.raises(ConfigError):
            check_commit(short)
