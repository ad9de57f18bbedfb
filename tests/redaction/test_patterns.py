"""Built-in patterns find what they are for, and leave alone what merely looks like it.

Tokens are put together here from parts, so that no scanner of repositories takes them for real ones.
"""

from __future__ import annotations

import pytest

from tars_lib.redaction.patterns import BUILT_IN
from tars_lib.redaction.redactor import Redactor
from tars_lib.redaction.rules import Rules

RULES = Rules(BUILT_IN, (), (), "")
PEM = "-----BEGIN {0}PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw\nggSjAgEAAoIBAQC7\n-----END {0}PRIVATE KEY-----"
FOUND = {
    "private-key": [PEM.format(""), PEM.format("RSA "), PEM.format("OPENSSH ").replace("\n", "\\n")],
    "minisign-key": ["RW" + "RTY0Iy" + "Ab9+" * 30 + "=="],
    "aws-key-id": ["AK" + "IAIOSFODNN7EXAMPLE", "AS" + "IAIOSFODNN7EXAMPLE"],
    "aws-secret": ["wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"],
    "github-token": [
        "gh" + "p_" + "16C7e42F292c6912E7710c838347Ae178B4a",
        "github" + "_pat_" + "11ABCDEFG0123456789_" + "a1" * 29,
    ],
    "gitlab-token": [f"gl{kind}-aB3dE6gH9jK2mN5pQ8sT" for kind in ("pat", "rt", "rtr", "soat", "agent", "ffct")],
    "slack-webhook": ["https://hooks.slack" + ".com/services/T00000000/B00000000/" + "X1" * 12],
    "slack-token": [
        "xo" + "xb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy",
        "xap" + "p-1-A0123-456-abcdef0123",
        "xo" + "xc-1234567890-9876",
        "xo" + "xd-aBcDeF%2BgHiJ%2F12%3D",
    ],
    "discord-webhook": ["https://discord" + ".com/api/webhooks/1234567890123456789/" + "aB3_" * 17],
    "teams-webhook": [
        "https://shop.webhook.office" + ".com/webhookb2/0a1b2c3d-0000@0a1b/IncomingWebhook/" + "0a1b" * 8 + "/x",
        "https://outlook.office" + ".com/webhook/0a1b2c3d-0000@0a1b/IncomingWebhook/" + "0a1b" * 8,
    ],
    "sas-signature": ["Ab3-_" * 8 + "x%3D"],
    "telegram-token": ["110201543:" + "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw" + "1"],
    "google-key": ["AI" + "za" + "SyB-_3x" * 5],
    "stripe-key": [
        "sk" + "_live_" + "4eC39HqLyjWDarjtT1zdp7dc",
        "rk" + "_test_" + "4eC39HqLyjWDarjt",
        "wh" + "sec_" + "a1B2" * 8,
    ],
    "model-key": ["sk" + "-proj-" + "aB3_-" * 8, "sk" + "-ant-" + "api03-" + "aB3_-" * 18],
    "npm-token": ["np" + "m_" + "aB3d" * 9],
    "pypi-token": ["py" + "pi-" + "AgEIcHlwaS5vcmc" + "aB3_-" * 20],
    "huggingface-token": ["h" + "f_" + "aBcDe" * 6 + "aBcD"],
    "sendgrid-key": ["S" + "G." + "ngeVfQFYQlKU0ufo8x5d1A" + "." + "TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr"],
    "vault-token": ["hv" + "s." + "CAESIJ1a" * 4],
    "digitalocean-token": ["do" + "p_v1_" + "0a1b" * 16],
    "age-key": ["AGE-SECRET" + "-KEY-1" + "QPZRY9X8GF" * 5 + "2TVDW0S3"],
    "azure-key": ["Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1" + "OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="],
    "cookie": ["session=abc", "SID=31d4d96e407aad42; lang=en"],
    "password": ["swordfish", "CorrectHorseBatteryStaple", "hunter2hunter2"],
    "pagerduty-url": ["e93facc04764012d7bfb" + "002500d5d1a6"],
    "pagerduty-key": ["e93facc04764012d7bfb" + "002500d5d1a6"],
    "jwt": ["ey" + "JhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0." + "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c"],
    "bearer": ["mF_9.B5f-" + "4.1JqM0123456789"],
    "url-userinfo": ["svc:pa55word", "ada", "app:p@ss/w0rd", ":pa55word"],
    "assigned-secret": ["hunter2hunter2", "12345678901234567890", "CorrectHorseBatteryStaple"],
    "email": ["ada.lovelace+oncall@example.co.uk", "jos\u00e9@ex\u00e4mple.com"],
    "ipv4": ["10.20.30.40", "203.0.113.9"],
    "ipv6": ["2001:db8::8a2e:370:7334", "fe80::1ff:fe23:4567:890a"],
    "phone": ["+49 30 901820", "+1-202-555-0143", "(202) 555-0143"],
    "home-folder": ["ada"],
}
"""By pattern: values that it must find."""
AROUND = {
    "aws-secret": ["aws_secret_access_key = {}"],
    "pagerduty-key": ['"routing_key": "{}"', "PagerDuty integration key: {}"],
    "bearer": ["Authorization: Bearer {}"],
    "url-userinfo": ["postgres://{}@db.internal:5432/orders"],
    "sas-signature": ["https://x.logic.azure.com/workflows/1/triggers/manual/paths/invoke?api-version=1&sp=%2F&sig={}"],
    "azure-key": ["AccountName=shop;AccountKey={};EndpointSuffix=x", "SharedAccessKey={}"],
    "cookie": ["Cookie: {}", "Set-Cookie: {}"],
    "pagerduty-url": ["https://events.pagerduty.com/integration/{}/enqueue"],
    "password": ["DB_PASSWORD={}", '"password": "{}"', "password: {}", "?pwd={}&x=1", "passphrase = '{}'"],
    "assigned-secret": ["?token={}&x=1", "X-Api-Key: {}", "client_secret={}", '"api_key": "{}"'],
    "home-folder": ["/home/{}/tars/runs", "C:\\Users\\{}\\runs"],
}
LEFT = [
    "availability fell to 99.95 %, the objective is 99.9 %",
    "2026-01-05T14:30:00Z and 2026-01-05 14:30:00+02:00, 12:34:56",
    "tars-run-20260105-143000 and INC-202601051430-2",
    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "numpy 2.3.1, Linux-6.1.0-13-amd64 with glibc2.36, build 10.0.19045.999",
    "127.0.0.1 and 0.0.0.0 and ::1 and [::2] and std::vector<int>, 300.1.2.3",
    "icon@2x.png, @channel, ledger@main, git blame @ada",
    "token: expired; the secret is out; password = unknown; api_key:",
    "Bearer of bad news; basic internationalization",
    "https://example.org/a:b@c and http://example.org:8080/path",
    "+12.5 points, +100, z = +3.25, 1 000 000 requests, +12345.678901",
    "AKIA is a prefix; ghp_ too; eyJ as well; xoxb-; -----BEGIN CERTIFICATE-----",
    "/home and /Users and ~/runs",
    "password: see the vault; password: rotated, Password: expired. passwords: fallen; password=${DB_PASSWORD}",
    "token: none; tokens: 12345678; token: 20260105143000; secret: disclosed",
    "sk-learn, sk_live_, sk-proj-, npm_config_registry, hf_hub, SG.7, hvs., dop_v1_, pypi-simple-index, AIza",
    "AGE-SECRET-KEY- of a recipient age1qpzry; AccountKey=; a cookie: nice; cookies: on; sig=3 and &sig=ab",
    "12345678:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855, 20260105:14:30",
    "http://example.org:8080/a@b and ssh://host:22/x@v1 and s3://bucket/a:b@c, https://discord.com/api/webhooks",
    "npm_e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
]


def redactor() -> Redactor:
    return Redactor(RULES)


def cases() -> list[tuple[str, str, str]]:
    return [
        (name, value, template)
        for name, values in FOUND.items()
        for value in values
        for template in AROUND.get(name, ["before {} after", "({}),"])
    ]


@pytest.mark.parametrize(("name", "value", "template"), cases())
def test_a_secret_is_replaced_and_the_text_around_it_kept(name: str, value: str, template: str) -> None:
    assert redactor().text(template.format(value)) == template.format(f"[REDACTED-{name}-1]")


@pytest.mark.parametrize("text", LEFT)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert redactor().text(text) == text


def test_every_pattern_is_tried_and_names_its_source() -> None:
    assert {pattern.name for pattern in BUILT_IN} - {"channel-url"} == set(FOUND)
    assert all(len(pattern.source) > 8 for pattern in BUILT_IN)


@pytest.mark.parametrize("scheme", ["slack", "pagerduty", "mailtos", "DISCORD"])
def test_everything_after_the_scheme_of_a_channel_goes(scheme: str) -> None:
    assert redactor().text(f"{scheme}://a/b/c?key=d next") == f"{scheme}://[REDACTED-channel-url-1] next"


def test_a_key_without_its_end_goes_as_far_as_its_lines_do() -> None:
    begun = PEM.format("EC ").partition("-----END")[0]
    assert redactor().text(f"{begun}and prose") == "[REDACTED-private-key-1]\nand prose"


def test_no_pattern_takes_long_on_long_texts() -> None:
    import time

    for text in (
        "a" * 200_000,
        "a." * 100_000,
        "+1 " * 70_000,
        "-----BEGIN PRIVATE KEY-----" * 400,
        "::" * 50_000,
        "://a:" * 40_000,
        "password" * 25_000,
        "cookie: a=" + "b; c=" * 40_000,
    ):
        begun = time.process_time()
        redactor().text(text)
        assert time.process_time() - begun < 5, text[:30]
