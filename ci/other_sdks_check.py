"""Checks that the SDKs of others work through the proxy: python other_sdks_check.py PROGRAM

Anthropic's, LangChain's for OpenAI, and LiteLLM's, with the simulator behind two providers. Prints what failed and
'N passed, N failed'.
"""

import asyncio
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

# Nothing is told or fetched: there is no network but this machine's.
os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", LANGCHAIN_TRACING_V2="false", DO_NOT_TRACK="1")

import anthropic
import langchain_openai
import litellm

from openai_sdk_check import MESSAGES, Proxy, run, wait_for

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


class Simulator:
    def __init__(self, program, folder):
        self.log = pathlib.Path(folder, "simulator")
        self.process = subprocess.Popen(
            [program, "simulate", "--port", "0"], cwd=folder, stdin=subprocess.DEVNULL, stdout=self.log.open("wb"),
            stderr=subprocess.STDOUT)
        self.port = int(wait_for(lambda: self.log.read_text().rpartition("http://127.0.0.1:")[2].split("\n")[0].strip("/ .")))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)


def anthropic_checks(url, token):
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

    def refuses_a_bad_token():
        try:
            anthropic.Anthropic(api_key="sk-" + "A" * 43, base_url=url).messages.create(**asking)
        except anthropic.AuthenticationError as error:
            assert "not known here" in str(error), error
            return
        raise AssertionError("no error")

    return [messages, streams, refuses_a_bad_token]


def langchain_checks(url, token):
    model = langchain_openai.ChatOpenAI(model="gpt-4o-mini", api_key=token, base_url=f"{url}/v1")

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

    return [invokes, streams, batches, embeds]


def litellm_checks(url, token):
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

    def refuses_a_bad_token():
        try:
            litellm.completion(**{**asking, "api_key": "sk-" + "A" * 43}, num_retries=0)
        except litellm.AuthenticationError as error:
            assert "not known here" in str(error), error
            return
        raise AssertionError("no error")

    def speaks_anthropics_api():
        answer = litellm.completion(
            model="anthropic/claude-3-5-haiku-latest", api_base=f"{url}/anthropic", api_key=token, messages=MESSAGES,
            max_tokens=12)
        assert answer.choices[0].message.content.startswith(WORDS), answer

    return [completes, streams, completes_side_by_side, refuses_a_bad_token, speaks_anthropics_api]


def main(program):
    failed = passed = 0
    with tempfile.TemporaryDirectory(prefix="other-sdks-") as folder:
        simulator = Simulator(program, folder)
        pathlib.Path(folder, "providers.yaml").write_text(PROVIDERS.format(port=simulator.port))
        proxy = Proxy(program, folder, ["--set", "API_CONFIG_PATH=providers.yaml"])
        try:
            project = proxy.manage("POST", "/manage/projects", {"name": "sdks", "api_key": "sk-upstream-key"})["id"]
            proxy.manage("POST", "/manage/upstreams", {
                "project_id": project, "api_key": "sk-ant-upstream-key", "provider": "anthropic"})
            token = proxy.token(project)["token"]
            url = f"http://127.0.0.1:{proxy.port}"
            groups = {
                "anthropic": anthropic_checks(f"{url}/anthropic", token), "langchain": langchain_checks(url, token),
                "litellm": litellm_checks(url, token)}
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
