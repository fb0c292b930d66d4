"""Checks that the SDKs of others work through the proxy: python other_sdks_check.py PROGRAM

Anthropic's, LangChain's for OpenAI, and LiteLLM's, with the simulator behind two providers. Prints what failed and
'N passed, N failed'.
"""

import asyncio
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import urllib.request

# Nothing is told or fetched: there is no network but this machine's.
os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LANGCHAIN_TRACING_V2="false", DO_NOT_TRACK="1")

import anthropic
import langchain_openai
import litellm
import openai

from openai_sdk_check import ARGUMENTS, MESSAGES, SCHEMA, TOOLS, Proxy, Weather, newest_outcome, run, wait_for

# It would explain each of the errors that are wanted here.
litellm.suppress_debug_info = True

PROVIDERS = """
default_api: openai
apis:
  openai:
    base_url: http://127.0.0.1:{port}
  anthropic:
    base_url: http://127.0.0.1:{port}
    auth: {{header: x-api-key}}
"""
WORDS = "the quiet river"
SLOW = {"X-Sim-Chunks": "1000", "X-Sim-Chunk-Delay": "50"}


class Simulator:
    def __init__(self, program, folder):
        self.log = pathlib.Path(folder, "simulator")
        self.process = subprocess.Popen(
            [program, "simulate", "--port", "0"], cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT)
        self.port = int(wait_for(lambda: self.log.read_text().rpartition("http://127.0.0.1:")[2].split("\n")[0].strip("/ .")))

    def abandoned(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sim/truth") as answer:
            return json.load(answer)["abandoned"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def cancels(proxy, begin):
    """Whether the upstream stops, and the request's row says why, once `begin` has left a stream after its first piece."""
    before = proxy.upstream.abandoned()
    begin()
    assert wait_for(lambda: newest_outcome(proxy) == "client_left"), newest_outcome(proxy)
    assert wait_for(lambda: proxy.upstream.abandoned() > before), "the upstream goes on"


def raised(kind, call, words):
    """Whether a call raises that exception, with those words in it."""
    try:
        call()
    except kind as error:
        assert words in str(error), error
        return
    raise AssertionError(f"no {kind.__name__}")


def anthropic_checks(proxy, url, token):
    client = anthropic.Anthropic(api_key=token, base_url=url)
    asking = {"model": "claude-3-5-haiku-latest", "max_tokens": 12, "messages": MESSAGES}

    def messages():
        answer = client.messages.create(**asking)
        assert answer.content[0].text.startswith(WORDS) and answer.usage.output_tokens == 12, answer

    def streams():
        with client.messages.stream(**asking) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        assert text.startswith(WORDS) and final.usage.output_tokens == 12, (text, final)

    def calls_tools():
        tools = [{"name": "weather", "description": "Tells the weather", "input_schema": SCHEMA}]
        asked = client.messages.create(**asking, tools=tools)
        assert asked.stop_reason == "tool_use" and asked.content[0].input == ARGUMENTS, asked
        with client.messages.stream(**asking, tools=tools) as stream:
            final = stream.get_final_message()
        assert final.content[0].name == "weather" and final.content[0].input == ARGUMENTS, final
        told = {"type": "tool_result", "tool_use_id": asked.content[0].id, "content": "sunny"}
        messages = [*MESSAGES, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [told]}]
        answer = client.messages.create(**{**asking, "messages": messages}, tools=tools)
        assert answer.content[0].text.startswith(WORDS), answer

    def cancels_a_stream():
        def begin():
            with client.messages.stream(**asking, extra_headers=SLOW) as stream:
                next(iter(stream.text_stream))

        cancels(proxy, begin)

    def raises_its_own_kinds():
        once = client.with_options(max_retries=0)
        for status, kind in ((400, anthropic.BadRequestError), (403, anthropic.PermissionDeniedError),
                             (429, anthropic.RateLimitError), (500, anthropic.InternalServerError)):
            raised(kind, lambda: once.messages.create(**asking, extra_headers={"X-Sim-Status": str(status)}), "script asked")

    def retries():
        answer = client.with_options(max_retries=2).messages.create(
            **{**asking, "messages": [{"role": "user", "content": "third time lucky"}]},
            extra_headers={"X-Sim-Failures": "2"})
        assert answer.content[0].text.startswith(WORDS), answer

    def refuses_a_bad_token():
        unknown = anthropic.Anthropic(api_key="sk-" + "A" * 43, base_url=url)
        raised(anthropic.AuthenticationError, lambda: unknown.messages.create(**asking), "not known here")

    return [messages, streams, calls_tools, cancels_a_stream, raises_its_own_kinds, retries, refuses_a_bad_token]


def langchain_checks(proxy, url, token):
    def talks(**more):
        return langchain_openai.ChatOpenAI(model="gpt-4o-mini", api_key=token, base_url=f"{url}/v1", **more)

    model = talks()

    def invokes():
        answer = model.invoke("Say three words please")
        assert answer.content.startswith(WORDS) and answer.usage_metadata["output_tokens"] == 12, answer

    def streams():
        pieces = list(model.stream("Say three words please"))
        assert len(pieces) > 3 and "".join(piece.content for piece in pieces).startswith(WORDS), pieces

    def batches():
        assert [answer.content[:9] for answer in model.batch(["one", "two", "three"])] == [WORDS[:9]] * 3

    def embeds():
        vectors = langchain_openai.OpenAIEmbeddings(
            model="text-embedding-3-small", api_key=token, base_url=f"{url}/v1", dimensions=8,
            check_embedding_ctx_length=False).embed_documents(["one", "two"])
        assert [len(vector) for vector in vectors] == [8, 8], vectors

    def calls_tools():
        answer = model.bind_tools(TOOLS).invoke("Say three words please")
        assert answer.tool_calls[0]["name"] == "weather" and answer.tool_calls[0]["args"] == ARGUMENTS, answer

    def parses_structured_output():
        assert model.with_structured_output(Weather, method="json_schema").invoke("Where?") == Weather(**ARGUMENTS)

    def responds():
        answer = talks(use_responses_api=True).invoke("one two")
        assert answer.text.startswith(WORDS), answer

    def cancels_a_stream():
        def begin():
            stream = talks(default_headers=SLOW).stream("Say three words please")
            next(stream)
            stream.close()

        cancels(proxy, begin)

    def raises_its_own_kinds():
        limited = talks(max_retries=0, default_headers={"X-Sim-Status": "429"})
        raised(openai.RateLimitError, lambda: limited.invoke("now"), "script asked")

    def retries():
        answer = talks(max_retries=2, default_headers={"X-Sim-Failures": "2"}).invoke("third time lucky, in a chain")
        assert answer.content.startswith(WORDS), answer

    return [invokes, streams, batches, embeds, calls_tools, parses_structured_output, responds, cancels_a_stream,
            raises_its_own_kinds, retries]


def litellm_checks(proxy, url, token):
    asking = {"model": "openai/gpt-4o-mini", "api_base": f"{url}/v1", "api_key": token, "messages": MESSAGES}

    def completes():
        answer = litellm.completion(**asking)
        assert answer.choices[0].message.content.startswith(WORDS) and answer.usage.total_tokens == 16, answer

    def streams():
        pieces = [piece.choices[0].delta.content or "" for piece in litellm.completion(stream=True, **asking)]
        assert "".join(pieces).startswith(WORDS), pieces

    def completes_side_by_side():
        async def all_of_them():
            return await asyncio.gather(*(litellm.acompletion(**asking) for _ in range(10)))

        assert all(answer.choices[0].message.content.startswith(WORDS) for answer in asyncio.run(all_of_them()))

    def calls_tools():
        call = litellm.completion(**asking, tools=TOOLS).choices[0].message.tool_calls[0]
        assert call.function.name == "weather" and json.loads(call.function.arguments) == ARGUMENTS, call

    def parses_structured_output():
        answer = litellm.completion(**asking, response_format=Weather)
        assert json.loads(answer.choices[0].message.content) == ARGUMENTS, answer

    def embeds():
        answer = litellm.embedding(
            model="openai/text-embedding-3-small", input=["one", "two"], dimensions=8, api_base=f"{url}/v1", api_key=token)
        assert [len(each["embedding"]) for each in answer.data] == [8, 8], answer

    def cancels_a_stream():
        async def first_piece():
            stream = await litellm.acompletion(**asking, stream=True, extra_headers=SLOW)
            await anext(aiter(stream))
            await stream.completion_stream.response.aclose()

        cancels(proxy, lambda: asyncio.run(first_piece()))

    def raises_its_own_kinds():
        for status, kind in ((400, litellm.BadRequestError), (429, litellm.RateLimitError), (500, litellm.InternalServerError)):
            raised(
                kind, lambda: litellm.completion(**asking, num_retries=0, max_retries=0, extra_headers={"X-Sim-Status": str(status)}),
                "script asked")

    def retries():
        answer = litellm.completion(
            **{**asking, "messages": [{"role": "user", "content": "third time lucky, by LiteLLM"}]}, max_retries=2,
            extra_headers={"X-Sim-Failures": "2"})
        assert answer.choices[0].message.content.startswith(WORDS), answer

    def refuses_a_bad_token():
        unknown = {**asking, "api_key": "sk-" + "A" * 43}
        raised(litellm.AuthenticationError, lambda: litellm.completion(**unknown, num_retries=0), "not known here")

    def speaks_anthropics_api():
        answer = litellm.completion(
            model="anthropic/claude-3-5-haiku-latest", api_base=f"{url}/anthropic", api_key=token, messages=MESSAGES,
            max_tokens=12)
        assert answer.choices[0].message.content.startswith(WORDS), answer

    return [completes, streams, completes_side_by_side, calls_tools, parses_structured_output, embeds, cancels_a_stream,
            raises_its_own_kinds, retries, refuses_a_bad_token, speaks_anthropics_api]


def main(program):
    failed = passed = 0
    with tempfile.TemporaryDirectory(prefix="other-sdks-") as folder:
        simulator = Simulator(program, folder)
        pathlib.Path(folder, "providers.yaml").write_text(PROVIDERS.format(port=simulator.port))
        proxy = Proxy(program, folder, ["--set", "API_CONFIG_PATH=providers.yaml"])
        proxy.upstream = simulator
        try:
            project = proxy.manage("POST", "/manage/projects", {"name": "sdks", "api_key": "sk-upstream-key"})["id"]
            proxy.manage("POST", "/manage/upstreams", {
                "project_id": project, "api_key": "sk-ant-upstream-key", "provider": "anthropic"})
            token = proxy.token(project)["token"]
            url = f"http://127.0.0.1:{proxy.port}"
            groups = {
                "anthropic": anthropic_checks(proxy, f"{url}/anthropic", token), "langchain": langchain_checks(proxy, url, token),
                "litellm": litellm_checks(proxy, url, token)}
            for name, checks in groups.items():
                counts = run(name, [(check.__name__, check) for check in checks])
                passed, failed = passed + counts[0], failed + counts[1]
        finally:
            code = proxy.stop()
            simulator.stop()
        if code != 0:
            failed += 1
            print(f"ci/sdks: the proxy ended with {code}:\n{proxy.log.read_text()}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
