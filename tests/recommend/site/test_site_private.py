"""The canary is found nowhere; and a test that looks for it finds leaks that are planted."""

from lineshaft.recommend.site.canary import Canary, hunt
from lineshaft.recommend.site.serving import serving

BASKET = ("walden", "emma", "dracula", "kim", "ulysses")
LEAKS = """
import os, sys, tempfile
from lineshaft.recommend.site import app, guard, pages, visit
read, kept = visit.read, []
def leaking(fields, artefact):
    state = read(fields, artefact)
    print("basket", ", ".join(state.basket), file=sys.stderr, flush=True)
    with open("visits.db", "ab") as file:
        file.write(repr(dict(fields)).encode())
    if not kept:
        kept.append(tempfile.TemporaryFile())
    kept[0].write(repr(dict(fields)).encode()); kept[0].flush()
    return state
visit.read = leaking
async def echo(request, error):
    return app.JSONResponse({"error": str(error.errors())}, 422)
app._not_valid = echo
from lineshaft.recommend.site import counters
plain = counters.Counters.exposed
def exposed(self):
    return plain(self) + (open("visits.db").read() if os.path.exists("visits.db") else "")
counters.Counters.exposed = exposed
real = counters.Counters.request
def request(self, path, status, seconds):
    self.memory[:len(path)] = path.encode()[:len(self.memory)]
    real(self, path, status, seconds) if False else None
counters.Counters.request = request
"""


def test_a_canary_is_found_nowhere(folder, tmp_path):
    options = ["--model", str(folder), "--workers", "2", "--rate", "0"]
    with serving(tmp_path / "site", options) as site:
        done = hunt(site, Canary(BASKET), folder, requests=150, malformed=45)
    assert done.found == []
    assert done.sent == 150 and done.malformed == 45 and done.server_errors == 0
    assert {200, 400, 404, 405, 413, 422} <= set(done.statuses)


def test_planted_leaks_are_found_each(folder, tmp_path):
    """In the output, a file, a deleted temporary file, an error's answer, the metrics, and shared memory."""
    with serving(tmp_path / "site", ["--model", str(folder), "--rate", "0"], LEAKS) as site:
        done = hunt(site, Canary(BASKET), folder, requests=60, malformed=30)
    found = "\n".join(done.found)
    for place in ("output.txt", "visits.db", "(deleted)", "the answer 422", "/metrics", "shared memory"):
        assert place in found, place
