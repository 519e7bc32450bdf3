"""Recounts the figures of a report from the recording of the same traffic.

Written from the definitions in docs/report.md alone and sharing nothing with the program: it reads
the recording's lines (requests, answers, verdicts), counts, and compares numerator, denominator and
value of every figure.

    recount.py RECORDING REPORT.json SCAN.json REPLAY.jsonl all|counts

SCAN.json is `palisade scan RECORDING --output json`, for what endpoints there are; REPLAY.jsonl is
`palisade replay RECORDING`, whose last line has the findings. Incidents are taken from the report's
own list of them.
`counts` leaves out what only a scan of the recording can know: conclusions and the inventory.
Exits with 1 and the differences when a figure is not what it says.
"""

import json
import re
import sys
from collections import Counter
from datetime import datetime
from urllib.parse import unquote

YEAR_S = 31_557_600
BASE_MIN = 30
KINDS = ["business-logic", "takeover", "flood", "injection", "exposure", "other"]
TARGETS = {
    "data-access": {"search", "object-read", "object-write", "export", "upload", "graphql"},
    "payment": {"checkout", "redeem"},
    "authentication": {
        "login", "refresh", "logout", "signup", "reset-request", "reset-confirm", "otp-send",
        "otp-verify", "password-change",
    },
}
# What the test sends, and how to know it by.
PROBES = {
    "CVE-2021-44228": re.compile(r"\$\{jndi:", re.I),
    "CVE-2014-6271": re.compile(r"^\(\)\s*\{"),
    "CVE-2017-9841": re.compile(r"/phpunit/.*eval-stdin\.php", re.I),
}


def header(part, name):
    for key, value in part.get("headers", []):
        if key.lower() == name:
            return value
    return None


def media_surface(content_type):
    """API, page or asset by a media type; None where it says nothing."""
    if not content_type or "/" not in content_type:
        return None
    kind, sub = content_type.split(";")[0].strip().lower().split("/", 1)
    if sub in ("html", "xhtml+xml", "rss+xml", "atom+xml"):
        return "page"
    if kind in ("image", "font", "audio", "video"):
        return "asset"
    if sub in ("css", "javascript", "x-javascript", "ecmascript", "wasm"):
        return "asset"
    if sub.endswith("json") or sub == "xml" or sub.endswith("+xml") or sub.startswith("grpc"):
        return "api"
    if sub.endswith("protobuf") or sub in ("graphql", "x-ndjson", "msgpack", "cbor"):
        return "api"
    if (kind, sub) == ("text", "event-stream"):
        return "api"
    return None


API_WORDS = {"api", "apis", "graphql", "gql", "grpc", "jsonrpc", "rest", "rpc", "odata"}
ASSETS = set("avif bmp css eot gif ico jpeg jpg js map mjs mp3 mp4 ogg otf pdf png svg ttf wasm webm "
             "webmanifest webp woff woff2 zip".split())
PAGES = set("asp aspx cgi do htm html jsp php shtml xhtml".split())


def path_of(line):
    url = line["request"]["url"]
    if url.startswith(("http://", "https://")):
        url = "/" + (url.split("/", 3)[3:] or [""])[0]
    return unquote(url.split("?")[0])


def surface(line):
    request, response = line["request"], line.get("response") or {}
    segments = [it for it in path_of(line).split("/") if it not in ("", ".", "..")]
    if media_surface(header(request, "content-type")) == "api":
        return "api"
    if any(it.lower() in API_WORDS or re.fullmatch(r"[vV]\d{1,2}", it) for it in segments):
        return "api"
    answered = media_surface(header(response, "content-type"))
    if answered:
        return answered
    extension = segments[-1].rsplit(".", 1)[1].lower() if segments and "." in segments[-1] else ""
    if extension in ASSETS:
        return "asset"
    if not segments or extension in PAGES:
        return "page"
    if extension in ("json", "xml"):
        return "api"
    for accepted in (header(request, "accept") or "").split(","):
        if media_surface(accepted):
            return media_surface(accepted)
    return "untold"


def program(line):
    agent = (header(line["request"], "user-agent") or "").lower()
    if re.search(r"bot\b|crawl|spider|\+https?://", agent):
        return "declared-bot"
    if re.search(r"curl/|python-requests/|wget/|go-http-client/|gobuster/|sqlmap/", agent):
        return "automated"
    if "mozilla/" in agent and header(line["request"], "accept"):
        return "human" if header(line["request"], "accept-language") else "unknown"
    if "mozilla/" in agent or re.search(r"okhttp/|cfnetwork/", agent):
        return "human"
    return "unknown"


MACHINES = {
    "credential-stuffing", "in-flight-cap", "forced-browsing", "rate-limit", "attack-probing",
    "cve-probing", "common-password", "version-walk", "disguise",
}


def kind_of(detector, role):
    if detector in (
        "credential-stuffing", "in-flight-cap", "password-guessing", "code-guessing",
        "common-password",
    ):
        return "business-logic" if role == "redeem" else "takeover"
    if detector == "rate-limit":
        return "business-logic" if role in ("redeem", "checkout") else "flood"
    if detector in ("forced-browsing", "decoy", "version-walk"):
        return "exposure"
    if detector in ("known-attack", "attack-probing", "cve-probing"):
        return "injection"
    return "other"


def probes_of(line):
    request = line["request"]
    texts = [unquote(request["url"]), request.get("body") or ""]
    texts += [value for _, value in request.get("headers", [])]
    return [cve for cve, looks in PROBES.items() if any(looks.search(it) for it in texts)]


class Recount:
    def __init__(self, recording, scan, incidents, findings):
        self.roles = {label(it): it["role"] for it in scan["endpoints"]}
        self.scan, self.incidents, self.findings = scan, incidents, findings
        self.count = Counter()
        self.evidence = {}
        self.blocks = {}
        self.first = self.last = None
        self.cves = set()
        for line in recording:
            self.exchange(line)

    def exchange(self, line):
        at = datetime.fromisoformat(line["time"].replace("Z", "+00:00"))
        self.first, self.last = self.first or at, at
        decided = line["decided"]
        signals = decided["signals"]
        role = self.roles.get(decided["endpoint"], "other")
        face, caller = surface(line), program(line)
        attack = None
        excepted = False
        if decided["verdict"] in ("throttle", "challenge", "deny", "reject"):
            detector = signals[0]["detector"]
            entity = signals[0]["entity"]
            if detector == "standing-decision":
                # What led to the block: the last evidence against the entity before it stood.
                block = (entity, signals[0]["reason"])
                detector = self.blocks.setdefault(block, self.evidence.get(entity, detector))
            else:
                # A caller is not blocked for what one rule thinks of one request.
                lasting = [it["detector"] for it in signals if it["detector"] != "known-attack"]
                self.evidence[entity] = (lasting or [detector])[0]
            attack = kind_of(detector, role)
            if detector in MACHINES and caller != "declared-bot":
                caller = "automated"
        add = self.count
        add["calls"] += 1
        add["surface", face] += 1
        add["caller", caller] += 1
        if role == "login":
            add["logins"] += 1
            add["login", face] += 1
        for cve in probes_of(line):
            self.cves.add(cve)
            status = (line.get("response") or {}).get("status", 0)
            add["probes"] += 1
            add["probe-year", int(cve[4:8])] += 1
            add["probes-answered"] += 200 <= status < 300
        add["excepted"] += excepted
        if attack is None:
            return
        add["attacks"] += 1
        add["attack", attack] += 1
        add["attacks-automated"] += caller == "automated"
        target = next((name for name, roles in TARGETS.items() if role in roles), "other")
        add["target", target] += 1
        add["established"] += any(it["detector"] == "good-standing" for it in signals)
        # A recording of monitor mode: nothing was refused.
        add["would-refuse"] += 1
        if attack == "takeover":
            add["takeover", face] += 1
            add["logins-attacked"] += role == "login"

    def figures(self):
        """(numerator, denominator) by the figure's name; a callable may judge by itself."""
        c, scan = self.count, self.scan
        calls, attacks, logins = c["calls"], c["attacks"], c["logins"]
        seconds = int((self.last - self.first).total_seconds())
        takeovers = sum(n for key, n in c.items() if key[0] == "takeover")
        year = self.last.year
        kinds = Counter(
            kind_of(it["detector"], self.roles.get(it["endpoint"], "other")) for it in self.incidents
        )
        endpoints = scan["endpoints"]
        figures = {
            "calls": (calls, None),
            "api-calls-a-year": (c["surface", "api"], seconds),
            "attacks": (attacks, None),
            "attack-share": (attacks, calls),
            "attack-automated-share": (c["attacks-automated"], attacks),
            "incidents": (len(self.incidents), None),
            "logins": (logins, None),
            "login-attacked-share": (c["logins-attacked"], logins),
            "accounts-entered": (None, None),
            "probes": (c["probes"], None),
            "probed-cves": (len(self.cves), None),
            "probes-answered": (c["probes-answered"], None),
            "refused-share": (0, attacks),
            "would-refuse-share": (c["would-refuse"], attacks),
            "excepted-share": (c["excepted"], calls),
            "established-share": (c["established"], attacks),
            "false-positive-share": (0, len(self.findings)),
            "closed-share": (0, len(self.incidents)),
            "endpoints": (len(endpoints), None),
            "endpoints-forgotten": (len(forgotten(endpoints) | exposed(scan)), None),
            "endpoints-open-share": (sum(it["authentication"] == "none" for it in endpoints), len(endpoints)),
            "endpoints-sensitive-share": (sum(bool(it["data_classes"]) for it in endpoints), len(endpoints)),
            "endpoints-open-sensitive": (
                sum(it["authentication"] == "none" and bool(it["data_classes"]) for it in endpoints), None),
        }
        for face in ("api", "page", "asset", "untold"):
            figures[f"{face}-share"] = (c["surface", face], calls)
        for face in ("api", "page"):
            figures[f"login-{face}-share"] = (c["login", face], logins)
            figures[f"takeover-{face}-share"] = (c["takeover", face], takeovers)
        for name, caller in (
            ("human-share", "human"), ("declared-bot-share", "declared-bot"),
            ("automated-share", "automated"), ("unknown-caller-share", "unknown"),
        ):
            figures[name] = (c["caller", caller], calls)
        for kind in KINDS:
            figures[f"attack-{kind}-share"] = (c["attack", kind], attacks)
            figures[f"incidents-{kind}"] = (kinds[kind], None)
        for target in [*TARGETS, "other"]:
            figures[f"target-{target}-share"] = (c["target", target], attacks)
        for name, least, most in (
            ("0-1", 0, 1), ("2-4", 2, 4), ("5-9", 5, 9), ("10", 10, 9_999),
        ):
            aged = sum(
                n for key, n in c.items()
                if key[0] == "probe-year" and least <= year - key[1] <= most
            )
            figures[f"probes-age-{name}-share"] = (aged, c["probes"])
        return figures


def forgotten(endpoints):
    """Endpoints whose path exists with a higher version, and that have answered with success."""
    def versioned(it):
        segments = it["template"].split("/")
        for at, segment in enumerate(segments):
            found = re.fullmatch(r"[vV](\d{1,3})", segment)
            if found:
                path = "/".join(segments[:at]) + " " + "/".join(segments[at + 1:])
                return (it["host"], it["method"], path), int(found[1])
        return None, 0

    newest = {}
    for it in endpoints:
        place, version = versioned(it)
        newest[place] = max(newest.get(place, 0), version)
    return {
        label(it) for it in endpoints
        if versioned(it)[0] and versioned(it)[1] < newest[versioned(it)[0]]
        and any(status.startswith("2") for status in it["statuses"])
    }


def exposed(scan):
    """Endpoints that answered a stranger, and that nobody was seen to use, as far as they are there."""
    return {it["endpoint"] for it in scan["exposures"]} & {label(it) for it in scan["endpoints"]}


def label(it):
    return f'{it["method"]} {it["host"]} {it["template"]}'


def expected_value(unit, numerator, denominator):
    if unit == "count":
        return float(numerator)
    if unit == "share":
        return None if denominator < BASE_MIN else numerator / denominator
    if numerator < BASE_MIN or denominator < 3_600:
        return None
    return numerator / denominator * YEAR_S


def is_count(name):
    """Whether exchanges alone tell, and not what was concluded from them."""
    return not name.startswith(("incidents", "endpoints", "false-", "closed-", "accounts-"))


# Nobody can know these from a scan, whatever their numerator is.
ABSENT_IN_SCANS = {"endpoints-new", "endpoints-idle"}


def main():
    recording, report, scan, replay, extent = sys.argv[1:]
    lines = (json.loads(line) for line in open(recording, encoding="utf-8"))
    exchanges = [line for line in lines if "request" in line]
    exchanges.sort(key=lambda line: line["time"])
    report, scan = (json.load(open(name, encoding="utf-8")) for name in (report, scan))
    last = open(replay, encoding="utf-8").read().splitlines()[-1]
    findings = json.loads(last)["summary"]["findings"]
    # What is found of the API is no attack.
    findings = [it for it in findings if it["detector"] != "forgotten-endpoint"]
    recount = Recount(exchanges, scan, report["incidents"], findings)
    expected, wrong, held = recount.figures(), [], 0
    for section in report["sections"]:
        for figure in section["figures"]:
            name = figure["id"]
            if name in ABSENT_IN_SCANS and extent == "counts":
                continue
            if name in ABSENT_IN_SCANS:
                if figure["value"] is not None:
                    wrong.append(f"{name}: should be absent")
                continue
            numerator, denominator = expected.pop(name, ("no such figure", None))
            if numerator is None or (extent == "counts" and not is_count(name)):
                continue
            if extent == "counts" and name == "api-calls-a-year":
                # From the whole hour on in which counting began.
                denominator = figure["denominator"]
            told = (figure["numerator"], figure["denominator"])
            if told != (numerator, denominator):
                wrong.append(f"{name}: told {told}, recounted {(numerator, denominator)}")
                continue
            value = expected_value(figure["unit"], numerator, denominator)
            if figure.get("absent") and "not shown" in figure["absent"]:
                value = None
            same = value is figure["value"] or (
                None not in (value, figure["value"]) and abs(value - figure["value"]) <= 1e-9 * max(1, value)
            )
            if not same:
                wrong.append(f'{name}: told {figure["value"]}, recounted {value}')
            held += same
    wrong += [f"{name}: not in the report" for name in expected]
    mix = sum(
        figure["numerator"] for section in report["sections"] for figure in section["figures"]
        if figure["id"] in {f"attack-{kind}-share" for kind in KINDS}
    )
    if mix != recount.count["attacks"]:
        wrong.append(f'the mix adds up to {mix} of {recount.count["attacks"]}')
    over_time = Counter()
    for moment in report["series"]["moments"]:
        over_time["calls"] += sum(moment[it] for it in ("human", "declared_bot", "automated", "unknown"))
        over_time["attacks"] += moment["attacks"]
    for name in ("calls", "attacks"):
        if over_time[name] != recount.count[name]:
            wrong.append(f"over time {over_time[name]} {name}, recounted {recount.count[name]}")
    print("\n".join(wrong))
    print(f"{held} figures recounted, {len(wrong)} differences")
    sys.exit(1 if wrong else 0)


main()
