"""The page as one folder that needs nothing from elsewhere, and a server for it.

python page/make.py build/page          writes the folder (npm fetches onnxruntime-web once)
python page/make.py build/page --serve  and shows it at http://localhost:8000
"""

import shutil
import subprocess
import sys
import tarfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

from vsodlib.inference.export import export_onnx
from vsodlib.model.vsodnet import VSODNet

RUNTIME = "onnxruntime-web@1.30.0"
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def make(out: Path, checkpoint: str = "lite-davis") -> None:
    """Write the page, the runtime and the network into a folder.

    Raises:
        OSError: there is no npm, it cannot fetch the runtime, or the folder cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(__file__).with_name("index.html"), out)
    with TemporaryDirectory() as folder:
        npm = ["npm", "pack", "--silent", "--pack-destination", folder, RUNTIME]
        if not shutil.which("npm"):
            raise OSError("The page needs npm, which comes with Node.js.")
        done = subprocess.run(npm, capture_output=True, text=True)
        if done.returncode:
            raise OSError(f"npm cannot fetch {RUNTIME}: {done.stderr.strip()[-200:]}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        for name in FILES:
            shutil.copy(Path(folder, "package", "dist", name), out)
    export_onnx(VSODNet.from_pretrained(checkpoint), out / "model.onnx", half=True)


class Handler(SimpleHTTPRequestHandler):
    """Files with the two headers without which a browser gives a page one thread only."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()


def server(folder: Path, port: int = 8000) -> ThreadingHTTPServer:
    """A server of the folder on this machine, to start by `serve_forever`; port 0: any free one."""
    return ThreadingHTTPServer(("localhost", port), partial(Handler, directory=str(folder)))


if __name__ == "__main__":
    try:
        make(Path(sys.argv[1]))
    except (OSError, ValueError) as error:
        sys.exit(f"page: {error}")
    if "--serve" in sys.argv:
        print("http://localhost:8000")
        server(Path(sys.argv[1])).serve_forever()
