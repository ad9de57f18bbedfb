"""Which texts are secrets or personal data, whatever the organisation? The built-in patterns, each with its source.

A pattern replaces its whole match, or the group `secret` where it has one. Order counts: where two matches overlap, the earlier
pattern takes the text. Encoded forms are read in `tars_lib.redaction.encoded`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pattern:
    """A kind of text to be removed: its name in placeholders, how it looks, where that is laid down, and a further check."""

    name: str
    regex: re.Pattern[str]
    source: str
    accepts: Callable[[str], bool] | None = None


def _pattern(name: str, source: str, *parts: str, accepts: Callable[[str], bool] | None = None) -> Pattern:
    return Pattern(name, re.compile("".join(parts)), source, accepts)


def _is_address(text: str) -> bool:
    """Return whether this is an address that names a machine; loopback and 0.0.0.0 are the same everywhere."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)


def _is_phone(text: str) -> bool:
    """Return whether there are 8 to 15 digits (E.164 allows 15; fewer is a number like any other: judgement), no decimal."""
    return 8 <= sum(char.isdigit() for char in text) <= 15 and not re.fullmatch(r"\+\d+\.\d+", text)


# what people write after "password:" when they do not write the password
# fmt: off
_PROSE = frozenset(
    (
        "changed", "cleared", "deleted", "disabled", "enabled", "encrypted", "expired", "expires", "failed", "hidden",
        "incorrect", "invalid", "leaked", "locked", "masked", "missing", "optional", "please", "redacted", "removed",
        "renewed", "required", "resetting", "revoked", "rotated", "rotating", "shared", "stored", "unchanged",
        "undefined", "unknown", "updated", "verified", "withheld"
    )
)
# fmt: on


def _is_password(text: str) -> bool:
    """Anything but a word that says something about a password, and a variable that holds it. Judgement."""
    return text.lower().rstrip(".!?)") not in _PROSE and not re.fullmatch(r"\$\{\w+\}|\$[A-Z_]+", text)


def _is_assigned(text: str) -> bool:
    """Letters with digits, 16 digits or more, or 16 letters or more in both cases: `token: expired` is prose. Judgement."""
    has_digit, has_letter = any(char.isdigit() for char in text), any(char.isalpha() for char in text)
    is_mixed = text.lower() != text != text.upper()
    return (has_digit and (has_letter or len(text) >= 16)) or (is_mixed and len(text) >= 16)


_PEM = r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"

BUILT_IN = (
    _pattern(
        "private-key",
        "RFC 7468, section 10 and 11; OpenPGP: RFC 9580, section 6.2. A block without its end: its base64 lines",
        _PEM,
        r"(?:(?:(?!-----BEGIN)[\s\S]){0,20000}?-----END (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
        r"|(?:\s*[A-Za-z0-9+/=]{16,})*)",
    ),
    _pattern(
        "minisign-key",
        "https://jedisct1.github.io/minisign/#secret-key-format: Ed, the key derivation, B2, in base64",
        r"\bRW(?:RTY0Iy|QAAEIy)[A-Za-z0-9+/]{100,}={0,2}",
    ),
    _pattern(
        "aws-key-id",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes",
        r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    ),
    _pattern(
        "aws-secret",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html: 40 characters after their name",
        r"(?i:aws_?(?:secret_?(?:access_?)?key|session_?token|security_?token)|secret_?access_?key)\W{1,6}",
        r"(?P<secret>[A-Za-z0-9/+]{40,}={0,2})",
    ),
    _pattern(
        "github-token",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github"
        "#githubs-token-formats",
        r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})(?![A-Za-z0-9])",
    ),
    _pattern(
        "gitlab-token",
        "https://docs.gitlab.com/security/tokens/#token-prefixes",
        r"(?<![A-Za-z0-9])gl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[A-Za-z0-9_.-]{20,}",
    ),
    _pattern(
        "slack-webhook",
        "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks",
        r"https?://hooks\.slack(?:-gov)?\.com/[A-Za-z0-9+/_-]{20,}",
    ),
    _pattern(
        "discord-webhook",
        "https://discord.com/developers/docs/resources/webhook#execute-webhook",
        r"https?://(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d{15,20}/[A-Za-z0-9_-]{20,}",
    ),
    _pattern(
        "teams-webhook",
        "https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/add-incoming-webhook",
        r"https?://(?:[\w-]+\.webhook\.office\.com|outlook\.office(?:365)?\.com/webhook)/[\w@/.%?=&-]{20,}",
    ),
    _pattern(
        "sas-signature",
        "https://learn.microsoft.com/azure/logic-apps/logic-apps-securing-a-logic-app: sig in the address of a trigger",
        r"(?<=[?&;])sig=(?P<secret>[A-Za-z0-9%/+_-]{20,}=*)",
    ),
    _pattern(
        "telegram-token",
        "https://core.telegram.org/bots/api#authorizing-your-bot: number, colon, 35 characters",
        r"(?<!\d)\d{8,12}:[A-Za-z0-9_-]{35}(?![\w-])",
    ),
    _pattern(
        "google-key",
        "https://cloud.google.com/docs/authentication/api-keys: AIza and 35 characters",
        r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])",
    ),
    _pattern(
        "stripe-key",
        "https://docs.stripe.com/keys and https://docs.stripe.com/webhooks: secret, restricted and signing keys",
        r"(?<![A-Za-z0-9])(?:[sr]k_(?:live|test)_|whsec_)[A-Za-z0-9]{16,}",
    ),
    _pattern(
        "model-key",
        "https://platform.openai.com/docs/api-reference/authentication and https://docs.claude.com/en/api/overview;"
        " length: judgement",
        r"(?<![A-Za-z0-9-])sk-(?:proj|svcacct|admin|ant)-[A-Za-z0-9_-]{20,}",
    ),
    _pattern(
        "npm-token",
        "https://github.blog/2021-09-23-announcing-npms-new-access-token-format/",
        r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])",
    ),
    _pattern(
        "pypi-token",
        "https://pypi.org/help/#apitoken: pypi- and a macaroon of version 2, which begins with AgE in base64",
        r"(?<![A-Za-z0-9])pypi-AgE[A-Za-z0-9_-]{40,}",
    ),
    _pattern(
        "huggingface-token",
        "https://huggingface.co/docs/hub/security-tokens; 30 characters or more: judgement",
        r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,}(?![A-Za-z0-9_])",
    ),
    _pattern(
        "sendgrid-key",
        "https://www.twilio.com/docs/sendgrid/ui/account-and-settings/api-keys: SG, an id, 43 characters",
        r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}",
    ),
    _pattern(
        "vault-token",
        "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes: 24 characters or more",
        r"(?<![A-Za-z0-9])hv[sbr]\.[A-Za-z0-9_-]{24,}",
    ),
    _pattern(
        "digitalocean-token",
        "https://docs.digitalocean.com/reference/api/create-personal-access-token/; 64 hexadecimal digits",
        r"(?<![A-Za-z0-9])do[opr]_v1_[a-f0-9]{64}",
    ),
    _pattern(
        "age-key",
        "https://github.com/C2SP/C2SP/blob/main/age.md: Bech32 of 32 bytes",
        r"(?<![A-Za-z0-9])(?i:AGE-SECRET-KEY-1[A-Z0-9]{58})(?![A-Za-z0-9])",
    ),
    _pattern(
        "azure-key",
        "https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string",
        r"(?i:\b(?:Account|SharedAccess)Key)\s?[=:]\s?(?P<secret>[A-Za-z0-9+/]{40,}={0,2})",
    ),
    _pattern(
        "cookie",
        "RFC 6265, sections 4.1 and 4.2: the pairs after the name of the header",
        r"(?i:\b(?:set-)?cookie)[\"']?: ?[\"']?(?P<secret>[\w!#$%&*.^|~+-]+=[^\s;,\"']+(?:; ?[\w!#$%&*.^|~+-]+=[^\s;,\"']+)*)",
    ),
    _pattern(
        "slack-token",
        "https://docs.slack.dev/authentication/tokens; xoxc and xoxd are those of a browser's session",
        r"(?<![A-Za-z0-9])(?:(?:xox[a-ceoprs](?:\.xox[bp])?|xapp)-[A-Za-z0-9-]{10,}|xoxd-[A-Za-z0-9%/+_-]{10,}=*)",
    ),
    _pattern(
        "channel-url",
        "https://appriseit.com/services/: everything after the scheme of a notification URL may be a token",
        r"(?i:\b(?:slack|pagerduty|opsgenie|discord|msteams|workflows?|tgram|gchat|rockets?|mmosts?|mailtos?|ntfys?"
        r"|matrixs?|webexteams|wxteams|pushover|twilio|signals?|zulip|jsons?|xmls?|forms?)://)",
        r"""(?P<secret>[^\s"'<>\[\]]{4,})""",
    ),
    _pattern(
        "pagerduty-key",
        "https://developer.pagerduty.com/docs/authentication and /docs/send-alert-event: 20 or 32 characters after their name",
        r"(?<![A-Za-z0-9])pd(?:us|eu)\+[\w+-]{20,}",
        r"|(?i:(?:pagerduty|routing|integration)[ _-]?(?:(?:routing|integration|service|api)[ _-]?)?(?:key|token)|Token token)"
        r"\W{1,6}(?P<secret>[A-Za-z0-9+_-]{20,32})(?![A-Za-z0-9+_-])",
    ),
    _pattern(
        "pagerduty-url",
        "https://support.pagerduty.com/main/docs/services-and-integrations: the key stands in the address of an integration",
        r"(?i:pagerduty\.com/integration/)(?P<secret>[A-Za-z0-9]{20,32})(?![A-Za-z0-9])",
    ),
    _pattern(
        "jwt",
        "RFC 7519, section 3: three base64url parts; the first is a JSON object, so it begins with eyJ",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*",
    ),
    _pattern(
        "bearer",
        "RFC 6750, section 2.1 and RFC 7617, section 2; 16 characters with a digit among them: judgement",
        r"(?i:\b(?:bearer|basic))\s+(?P<secret>[A-Za-z0-9._~+/-]{16,}=*)",
        accepts=lambda text: any(char.isdigit() for char in text),
    ),
    _pattern(
        "url-userinfo",
        "RFC 3986, section 3.2.1",
        r"""(?<=://)(?P<secret>""",
        # a password that nobody encoded: up to the last @, of web addresses within the authority
        r"""(?<!http://)(?<!https://)[^\s/?#@:"'<>]*:(?!\d{1,5}[/?#])(?:(?!://)[^\s"'<>])+""",
        r"""|[^\s/?#@:"'<>]*:[^\s/?#"'<>]*|[^\s/?#@:"'<>]+)(?=@)""",
    ),
    _pattern(
        "password",
        "judgement: 6 characters or more after a name that says what they are, unless they are a word such as expired",
        r"""(?i:(?:password|passwd|passphrase|pwd))["']?\s{0,3}[:=]\s{0,3}["']?""",
        r"""(?P<secret>[^\s"',;&<>\[\]]{6,})""",
        accepts=_is_password,
    ),
    _pattern(
        "assigned-secret",
        "judgement: 8 characters or more that are no word, after a name that says what they are",
        r"""(?i:(?:secret|token|api[_-]?key|access[_-]?key|private[_-]?key))["']?\s{0,3}[:=]\s{0,3}["']?""",
        r"""(?P<secret>[^\s"',;&<>\[\]]{8,})""",
        accepts=_is_assigned,
    ),
    _pattern(
        "email",
        "RFC 5321, section 4.1.2 with RFC 6531; local parts of letters, digits and . _ + -, not names such as icon@2x.png",
        r"(?<![\w.+-])[\w+-]+(?:\.[\w+-]+)*@",
        r"(?:[^\W_](?:[\w-]*[^\W_])?\.)+(?!(?:png|jpe?g|svg|gif)\b)[^\W\d_]{2,}",
    ),
    _pattern(
        "ipv4",
        "RFC 791, written as in RFC 6943, section 3.1.1; not loopback and 0.0.0.0, which name no machine",
        r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)",
        accepts=_is_address,
    ),
    _pattern(
        "ipv6",
        "RFC 4291, section 2.2; the ranges in use of https://www.iana.org/assignments/ipv6-address-space",
        r"(?<![\w:.])(?:[23][0-9A-Fa-f]{3}|[fF][c-fC-F][0-9A-Fa-f]{2}):[0-9A-Fa-f:]{2,35}(?![\w:])",
        accepts=_is_address,
    ),
    _pattern(
        "phone",
        "ITU-T E.164 with the plus sign, written as in E.123; in North America also (NPA) NXX-XXXX",
        r"(?<![\w+.])(?:\+[1-9]\d{0,2}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d[\d .-]{4,14}\d|\([2-9]\d{2}\) ?\d{3}-\d{4})(?![\w%])",
        accepts=_is_phone,
    ),
    _pattern(
        "home-folder",
        "judgement: the folder of a person carries the name of an account",
        r"""(?:(?<=/home/)|(?<=/Users/)|(?<=\\Users\\))(?P<secret>[^\s/\\"'<>:\[\]]+)""",
    ),
)
"""In order of precedence: what names its kind first, what is only shaped like it last."""
