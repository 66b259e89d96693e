from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from agent import yaml_io
from agent.model.secret_names import is_masked, is_secret, is_secret_name, may_name_secrets, named_secrets, replaced

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "dataos"
SECRET = (
    *("password", "Password", "PASSWORD", "passwd", "pwd", "DB_PWD", "passphrase", "dbPassword", "mysqlpassword"),
    *("DB_PASSWORD", "PASSWORD_PROD", "password2", "keyStorePassword", "passwordHash", "SMTP_PASS", "passwords"),
    *(
        "token",
        "API_TOKEN",
        "GITHUB_TOKEN",
        "accessToken",
        "refresh-token",
        "bot_token",
        "private-token",
        "token_value",
    ),
    *("secret", "clientSecret", "client_secret", "CLIENT_SECRET", "webhookSecret", "sharedSecret", "secretValue"),
    *("apiKey", "api_key", "APIKEY", "X-API-Key", "runAsApiKey", "DATAOS_RUN_AS_APIKEY", "apiKeys", "api.key"),
    *("secretKey", "secret_access_key", "awssecretaccesskey", "azurestorageaccountkey", "privateKey", "ssh_key"),
    *("spark.hadoop.fs.s3a.bucket.x.secret.key", "eh_shared_access_key", "encryptionKey", "signing_key"),
    *(
        "authorization",
        "Proxy-Authorization",
        "Set-Cookie",
        "dsn",
        "SENTRY_DSN",
        "connectionString",
        "connection_string",
    ),
)
PLAIN = (
    *("tokenExpiry", "token_type", "tokenUrl", "tokens", "max_tokens", "maxToken", "nextPageToken", "page_token"),
    *("stop_token", "tokenizer", "tokenize", "eos_token", "detokenised", "secretName", "secretRef", "secretScope"),
    *("imagePullSecret", "imagePullSecrets", "existingSecret", "tlsSecret", "secrets", "dataosSecrets", "useSecret"),
    *(
        "passwordPolicy",
        "password_min_length",
        "passwordSecret",
        "noAuthentication",
        "passthrough",
        "bypass",
        "compass",
    ),
    *(
        "key",
        "keys",
        "allkeys",
        "publicKey",
        "primary_key",
        "partitionKey",
        "incremental-key",
        "sortKey",
        "keyColumnName",
    ),
    *("keyId", "accessKeyId", "awsaccesskeyid", "privateKeyFile", "json_key_file", "key_store_file", "rotateKey"),
    *(
        "auth",
        "auth_mode",
        "author",
        "authentication",
        "credentials_name",
        "cloud_credentials",
        "cookiePolicy",
        "session",
    ),
    *("value", "name", "", "_", "42", "passage", "first_pass", "secretary", "monkey", "x" * 5000),
)


@pytest.mark.parametrize("name", SECRET)
def test_the_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)
    assert may_name_secrets(f"{name}: x".encode())


@pytest.mark.parametrize("name", PLAIN)
def test_a_name_about_a_secret_or_about_something_else_is_none(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        ("password", "hunter2", True),
        ("password", 123456, True),
        ("password", {"secretRef": "lake"}, True),
        ("password", {"env": "LAKE"}, False),  # a mapping, whose own members are looked at
        ("password", "", False),
        ("password", None, False),
        ("password", True, False),
        ("password", "********", False),  # what a platform shows instead
        ("password", "{{ vault.lake }}", False),
        ("password", "${{lake}}", False),
        ("token", 3600, False),
        ("token", "3600", True),
        ("authorization", "enabled", False),
        ("authorization", "Bearer 0123456789abcdef", True),
        ("mode", "hunter2", False),
    ],
)
def test_what_stands_under_a_name_counts_too(name: str, value: Any, secret: bool) -> None:
    assert is_secret(name, value) is secret


def test_every_way_to_write_one_is_found_with_its_place() -> None:
    spec = {
        "connection": {"user": "u", "password": "p1"},
        "env": [{"name": "DB_TOKEN", "value": "p2"}, {"key": "MODE", "value": "fast"}],
        "apiKeys": ["p3", "p4"],
        "tokens": {"max": 3},
        "secret": {"type": "a", "deep": [{"pwd": "p5"}]},
    }
    assert dict(named_secrets(spec)) == {
        ("connection", "password"): "p1",
        ("env", "0", "value"): "p2",
        ("apiKeys", "0"): "p3",
        ("apiKeys", "1"): "p4",
        ("secret", "deep", "0", "pwd"): "p5",
    }
    hidden = replaced(spec, lambda place, leaf: "…")
    assert not [value for value in ("p1", "p2", "p3", "p4", "p5") if f"'{value}'" in repr(hidden)]
    assert hidden["env"][1] is spec["env"][1], "what holds none is not copied"
    assert spec["connection"]["password"] == "p1", "and nothing is changed in place"


def test_a_spec_without_secrets_is_the_same_object() -> None:
    spec = {"a": [{"b": {"c": [1, "x", None]}}], "tokenExpiry": "1h"}
    assert replaced(spec, lambda place, leaf: "…") is spec


def test_asterisks_are_no_value() -> None:
    assert is_masked("****")
    assert is_masked("••••••••")
    assert not any(map(is_masked, ("", "*", "**", "a***", None, 3)))


@pytest.mark.skipif(not CORPUS.exists(), reason="needs ../shared/corpora/dataos")
def test_in_manifests_of_real_people_each_guess_is_right() -> None:
    found: Counter[str] = Counter()
    for file in sorted((CORPUS / "valid").glob("*.yaml")):
        for document in yaml_io.load(file.read_bytes()).documents:
            found.update(place[-1] for place, _ in named_secrets(document.value))
    # Read one by one: each of them held a secret, or text that stood for one.
    assert {name for name in found if not name.startswith("spark.hadoop.fs.s3a.bucket.")} <= {
        *("password", "GITSYNC_PASSWORD", "keyStorePassword", "trustStorePassword", "passphrase", "secretkey"),
        *("token", "APIKEY", "runAsApiKey", "DATAOS_RUN_AS_APIKEY", "eh_shared_access_key", "awssecretaccesskey"),
        "azurestorageaccountkey",
    }
    assert sum(found.values()) >= 25
