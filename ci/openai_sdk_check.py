"""Checks that the OpenAI Python SDK works through the proxy as it does without: python openai_sdk_check.py PROGRAM

Starts the proxy with the simulator behind it, makes a project and tokens, and makes the SDK's calls. Prints what failed and
'N passed, N failed'.
"""

import datetime
import io
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import openai
import pydantic

MANAGEMENT_TOKEN = "management-token-of-the-sdk-check"
MESSAGES = [{"role": "user", "content": "Say three words please"}]
SCHEMA = {
    "type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer"}}, "required": ["place", "days"],
    "additionalProperties": False}
TOOLS = [{"type": "function", "function": {"name": "weather", "description": "Tells the weather", "parameters": SCHEMA}}]
ARGUMENTS = {"place": "the quiet river", "days": 3}


class Weather(pydantic.BaseModel):
    place: str
    days: int


def wait_for(what, seconds=30):
    """What `what` gives, once it gives something."""
    deadline = time.monotonic() + seconds
    while True:
        found = what()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


class Proxy:
    """The program as a child process, in a folder of its own."""

    def __init__(self, program, folder, options=("--upstream", "simulator")):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log = pathlib.Path(folder, "output")
        self.process = subprocess.Popen(
            [program, "server", "--listen", f"127.0.0.1:{self.port}", *options], cwd=folder,
            env={"PATH": os.environ["PATH"], "MANAGEMENT_TOKEN": MANAGEMENT_TOKEN}, stdin=subprocess.DEVNULL,
            stdout=self.log.open("wb"), stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 30
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    sys.exit(f"the proxy did not start:\n{self.log.read_text()}")
                time.sleep(0.05)

    def manage(self, method, path, body=None):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", json.dumps(body).encode() if body is not None else None,
            {"Authorization": f"Bearer {MANAGEMENT_TOKEN}", "Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def token(self, project, **wanted):
        return self.manage("POST", "/manage/tokens", {"project_id": project, "duration_minutes": 60, **wanted})

    def client(self, token):
        return openai.OpenAI(api_key=token, base_url=f"http://127.0.0.1:{self.port}/v1")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)


def raises(kind, call, code, words):
    """Whether a call raises that exception, with our code and message in it."""
    try:
        call()
    except kind as error:
        return error.code == code and words in str(error)
    return False


def chats(client):
    chat = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
    assert chat.choices[0].message.content.startswith("the quiet river"), chat
    assert (chat.usage.prompt_tokens, chat.usage.completion_tokens) == (4, 12), chat.usage


def streams(client):
    text, reasons = "", []
    for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True):
        text += chunk.choices[0].delta.content or ""
        reasons.append(chunk.choices[0].finish_reason)
    assert text.startswith("the quiet river") and reasons[-1] == "stop", (text, reasons)


def streams_usage(client):
    chunks = list(client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True, stream_options={"include_usage": True}))
    assert chunks[-1].choices == [] and chunks[-1].usage.total_tokens == 16, chunks[-1]


def completes(client):
    completion = client.completions.create(model="gpt-4o-mini", prompt="one two", max_tokens=3)
    assert completion.choices[0].text == "the quiet river" and completion.usage.total_tokens == 5, completion


def responds(client):
    response = client.responses.create(model="gpt-4o-mini", input="one two")
    assert response.output_text.startswith("the quiet river") and response.usage.input_tokens == 2, response
    events = list(client.responses.create(model="gpt-4o-mini", input="one two", stream=True))
    assert [events[0].type, events[-1].type] == ["response.created", "response.completed"], events


def embeds(client):
    result = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"], dimensions=8)
    floats = client.embeddings.create(
        model="text-embedding-3-small", input="one", dimensions=8, encoding_format="float")
    assert [len(each.embedding) for each in result.data] == [8, 8], result
    assert all(abs(a - b) < 1e-6 for a, b in zip(result.data[0].embedding, floats.data[0].embedding)), floats


def lists_models(client):
    assert "gpt-4o-mini" in [model.id for model in client.models.list()]
    assert client.models.retrieve("gpt-4o").id == "gpt-4o"


def uploads(client):
    content = os.urandom(200_000)
    file = client.files.create(file=("data.bin", io.BytesIO(content)), purpose="user_data")
    assert file.bytes == len(content) and file.filename == "data.bin", file
    assert client.files.content(file.id).read() == content
    assert client.files.delete(file.id).deleted


def transcribes(client):
    text = client.audio.transcriptions.create(model="whisper-1", file=("a.wav", io.BytesIO(b"RIFF" * 100))).text
    assert text.startswith("the quiet river"), text


def passes_errors_on(client):
    assert raises(openai.NotFoundError, lambda: client.models.retrieve("gpt-none"), "model_not_found", "does not exist")
    limited = client.with_options(max_retries=0)
    assert raises(
        openai.RateLimitError,
        lambda: limited.chat.completions.create(
            model="gpt-4o-mini", messages=MESSAGES, extra_headers={"X-Sim-Status": "429"}),
        "rate_limit_exceeded", "script asked")


def calls_tools(client):
    asking = {"model": "gpt-4o-mini", "tools": TOOLS}
    asked = client.chat.completions.create(messages=MESSAGES, **asking).choices[0]
    call = asked.message.tool_calls[0]
    assert asked.finish_reason == "tool_calls" and call.function.name == "weather", asked
    assert json.loads(call.function.arguments) == ARGUMENTS, call
    told = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    answer = client.chat.completions.create(messages=[*MESSAGES, asked.message, told], **asking)
    assert answer.choices[0].message.content.startswith("the quiet river"), answer


def streams_tools(client):
    arguments, reasons = "", []
    for chunk in client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, tools=TOOLS, stream=True):
        for call in chunk.choices[0].delta.tool_calls or []:
            arguments += call.function.arguments or ""
        reasons.append(chunk.choices[0].finish_reason)
    assert json.loads(arguments) == ARGUMENTS and reasons[-1] == "tool_calls", (arguments, reasons)


def parses_structured_output(client):
    chat = client.chat.completions.parse(model="gpt-4o-mini", messages=MESSAGES, response_format=Weather)
    assert chat.choices[0].message.parsed == Weather(**ARGUMENTS), chat
    response = client.responses.parse(model="gpt-4o-mini", input="one two", text_format=Weather)
    assert response.output_parsed == Weather(**ARGUMENTS), response


def batches(client):
    lines = [{"custom_id": name, "method": "POST", "url": "/v1/chat/completions",
              "body": {"model": "gpt-4o-mini", "messages": MESSAGES}} for name in ("one", "two")]
    content = "\n".join(map(json.dumps, lines)).encode()
    file = client.files.create(file=("batch.jsonl", io.BytesIO(content)), purpose="batch")
    made = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    batch = client.batches.retrieve(made.id)
    assert batch.status == "completed" and batch.request_counts.total == 2, batch
    output = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
    assert [line["custom_id"] for line in output] == ["one", "two"], output
    assert output[0]["response"]["body"]["choices"][0]["message"]["content"].startswith("the quiet river"), output


def raises_its_own_kinds(client):
    """What the upstream answers, or doesn't, is the exception that it is without a proxy."""
    once = client.with_options(max_retries=0)
    kinds = {400: openai.BadRequestError, 401: openai.AuthenticationError, 403: openai.PermissionDeniedError,
             409: openai.ConflictError, 422: openai.UnprocessableEntityError, 500: openai.InternalServerError,
             503: openai.InternalServerError}
    for status, kind in kinds.items():
        try:
            once.chat.completions.create(
                model="gpt-4o-mini", messages=MESSAGES, extra_headers={"X-Sim-Status": str(status)})
        except kind as error:
            assert error.status_code == status and "script asked" in str(error), error
            continue
        raise AssertionError(f"nothing was raised for {status}")
    try:
        once.with_options(timeout=0.5).models.list(extra_headers={"X-Sim-Delay": "5000"})
    except openai.APITimeoutError:
        pass
    else:
        raise AssertionError("nothing was raised for an answer that takes too long")
    try:
        once.audio.transcriptions.create(model="whisper-1", file=("a.wav", io.BytesIO(b"RIFF" * (3 << 20))))
    except openai.APIStatusError as error:
        assert error.status_code == 413 and error.code == "request_too_large", error
        return
    raise AssertionError("nothing was raised for a body that is too large")


def retries(client):
    """Two failures and an answer: three requests, of which the caller sees one."""
    chat = client.with_options(max_retries=2).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "third time lucky"}],
        extra_headers={"X-Sim-Failures": "2"})
    assert chat.choices[0].message.content.startswith("the quiet river"), chat


def newest_outcome(proxy):
    return proxy.manage("GET", "/manage/requests?order=desc&limit=1")[0]["outcome"]


def cancels_a_stream(proxy, client):
    """Who stops listening is written down so."""
    stream = client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True,
        extra_headers={"X-Sim-Chunks": "1000", "X-Sim-Chunk-Delay": "50"})
    next(iter(stream))
    stream.close()
    assert wait_for(lambda: newest_outcome(proxy) == "client_left"), newest_outcome(proxy)


def refusals(proxy, project):
    """What each token that can't be used raises."""

    def listing(token):
        return lambda: proxy.client(token).models.list()

    def refuses_a_bad_token():
        assert raises(openai.AuthenticationError, listing("sk-nonsense"), "invalid_token", "is not a token of this proxy")

    def refuses_an_unknown_token():
        assert raises(openai.AuthenticationError, listing("sk-" + "A" * 43), "token_not_found", "not known here")

    def refuses_a_revoked_token():
        made = proxy.token(project)
        proxy.manage("DELETE", f"/manage/tokens/{made['id']}")
        assert raises(openai.AuthenticationError, listing(made["token"]), "token_inactive", "was revoked")

    def refuses_an_expired_token():
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.5)
        expires = soon.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made = proxy.manage("POST", "/manage/tokens", {"project_id": project, "expires_at": expires})
        listing(made["token"])()
        time.sleep(2)
        assert raises(openai.AuthenticationError, listing(made["token"]), "token_expired", "has expired")

    def refuses_a_used_up_cap_once():
        made = proxy.token(project, max_requests=2)
        listing(made["token"])()
        listing(made["token"])()
        assert raises(openai.RateLimitError, listing(made["token"]), "quota_exceeded", "used up its 2 requests")
        # The SDK tries 429 again, unless it is told not to.
        metrics = urllib.request.urlopen(f"http://127.0.0.1:{proxy.port}/metrics").read().decode()
        tries = [line for line in metrics.splitlines() if 'code="quota_exceeded"' in line]
        assert [line.split()[-1] for line in tries] == ["1"], tries
        assert proxy.manage("GET", f"/manage/tokens/{made['id']}")["request_count"] == 2

    return [refuses_a_bad_token, refuses_an_unknown_token, refuses_a_revoked_token, refuses_an_expired_token,
            refuses_a_used_up_cap_once]


def counts_every_request(proxy, token, calls):
    """Nothing more is counted, nothing less."""
    found = proxy.manage("GET", f"/manage/tokens/{token['id']}")
    assert found["request_count"] == calls, found


def run(sdk, checks):
    """Makes named checks one after the other and prints what fails: how many passed, and how many failed."""
    failed = 0
    for name, check in checks:
        try:
            check()
        except Exception as error:  # Whatever goes wrong is a failure of this check, and the others go on.
            failed += 1
            print(f"ci/sdks: {sdk} {name}: {type(error).__name__}: {error}")
    return len(checks) - failed, failed


def main(program):
    failed = passed = 0
    with tempfile.TemporaryDirectory(prefix="openai-sdk-") as folder:
        proxy = Proxy(program, folder)
        try:
            project = proxy.manage("POST", "/manage/projects", {"name": "sdk", "api_key": "sk-upstream-key"})["id"]
            token = proxy.token(project)
            client = proxy.client(token["token"])
            calls = [chats, streams, streams_usage, completes, responds, embeds, lists_models, uploads, transcribes,
                     passes_errors_on]
            checks = [(call.__name__, lambda call=call, client=client: call(client)) for call in calls]
            checks += [(check.__name__, check) for check in refusals(proxy, project)]
            checks.append(("counts_every_request", lambda: counts_every_request(proxy, token, 16)))
            other = proxy.token(project)
            client = proxy.client(other["token"])
            calls = [calls_tools, streams_tools, parses_structured_output, batches, raises_its_own_kinds, retries]
            checks += [(call.__name__, lambda call=call: call(client)) for call in calls]
            checks.append(("cancels_a_stream", lambda: cancels_a_stream(proxy, client)))
            checks.append(("counts_those_too", lambda: counts_every_request(proxy, other, 21)))
            passed, failed = run("openai", checks)
        finally:
            code = proxy.stop()
        if code != 0:
            failed += 1
            print(f"ci/sdks: the proxy ended with {code}:\n{proxy.log.read_text()}")
    print(f"openai {openai.__version__}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
